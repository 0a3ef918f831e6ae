"""The label that says a song was made by a machine, as Chinese law asks for it in a file's metadata.

Key `AIGC`, value JSON with the four fields of GB 45438-2025. In MP3 it is an ID3 TXXX frame, in FLAC and Ogg a Vorbis
comment, in M4A a freeform atom, in WAV the INFO comment. Headless PCM has no room for it.
"""

from __future__ import annotations

import hashlib
import json

from generation.audio.tags import AI_LABEL_KEY, read_tags

GENERATED = "1"
_FIELDS = ("Label", "ContentProducer", "ProduceID", "ReservedCode1")
_KEYS = (AI_LABEL_KEY, "comment")


def ai_label(producer: str, produce_id: str) -> dict[str, str]:
    """The label's fields: made by `producer`, who calls it `produce_id`; ReservedCode1 seals the other three."""
    seal = hashlib.sha256(f"{GENERATED}\n{producer}\n{produce_id}".encode()).hexdigest()
    return dict(zip(_FIELDS, (GENERATED, producer, produce_id, seal), strict=True))


def label_tags(*, title: str | None, producer: str, produce_id: str) -> dict[str, str]:
    """The tags of a delivered track: its label and, where it has one, its title."""
    text = json.dumps(ai_label(producer, produce_id), ensure_ascii=False, separators=(",", ":"))
    return {**({"title": title} if title else {}), AI_LABEL_KEY: text}


def read_label(audio: bytes) -> dict[str, str] | None:
    """The label a file carries, None if it carries none. Raises BadAudio for what is no audio."""
    tags = read_tags(audio)
    labels = (_parsed(tags[key]) for key in _KEYS if key in tags)
    return next((label for label in labels if label), None)


def _parsed(text: str) -> dict[str, str] | None:
    try:
        label = json.loads(text)
    except ValueError:
        return None
    return label if isinstance(label, dict) and set(_FIELDS) <= set(label) else None
