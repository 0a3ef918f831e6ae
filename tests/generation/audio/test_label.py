"""Tags and the label in every format, by encoding and by relabelling."""

from __future__ import annotations

import hashlib
import io
import json
import struct
from collections.abc import Callable

import av
import pytest

from generation.audio.bad_audio import BadAudio
from generation.audio.decode import probe
from generation.audio.encode import encode
from generation.audio.id3_tags import tag_bytes
from generation.audio.label import ai_label, label_tags, read_label
from generation.audio.relabel import relabel
from generation.audio.samples import Samples
from generation.audio.tags import read_tags
from generation.contract import AudioFormat

TAGGED = ("mp3", "wav", "flac", "opus", "m4a")
DEMUXERS = {"mp3": "mp3", "wav": "wav", "flac": "flac", "opus": "ogg", "m4a": "mov"}
TITLE = 'Ré "歌" 🎵'
TAGS = label_tags(title=TITLE, producer="Tutti", produce_id="trk_1")


def packets_sha256(audio: bytes, demuxer: str) -> str:
    digest = hashlib.sha256()
    with av.open(io.BytesIO(audio), "r", format=demuxer) as container:
        for packet in container.demux(audio=0):
            digest.update(bytes(packet))
    return digest.hexdigest()


def test_label_has_the_four_fields_and_a_seal() -> None:
    seal = hashlib.sha256(b"1\nTutti\ntrk_1").hexdigest()

    assert ai_label("Tutti", "trk_1") == {
        "Label": "1",
        "ContentProducer": "Tutti",
        "ProduceID": "trk_1",
        "ReservedCode1": seal,
    }


@pytest.mark.parametrize("audio_format", TAGGED)
def test_label_and_title_come_back(tone: Callable[..., Samples], audio_format: AudioFormat) -> None:
    audio = encode(tone(0.5), audio_format, tags=TAGS)

    assert read_label(audio) == ai_label("Tutti", "trk_1")
    assert read_tags(audio)["title"] == TITLE


@pytest.mark.parametrize("audio_format", TAGGED)
def test_audio_without_a_label_has_none(tone: Callable[..., Samples], audio_format: AudioFormat) -> None:
    assert read_label(encode(tone(0.5), audio_format, tags={"title": "AIGC", "comment": "{}"})) is None


@pytest.mark.parametrize("audio_format", ["mp3", "flac", "opus", "m4a"])
def test_label_stands_under_its_own_key(tone: Callable[..., Samples], audio_format: AudioFormat) -> None:
    assert json.loads(read_tags(encode(tone(0.5), audio_format, tags=TAGS))["AIGC"]) == ai_label("Tutti", "trk_1")


def test_label_in_wav_is_the_info_comment_named_by_the_keywords(tone: Callable[..., Samples]) -> None:
    audio = encode(tone(0.5), "wav", tags=TAGS)

    value = TAGS["AIGC"].encode() + b"\0"
    assert b"ICMT" + struct.pack("<I", len(value)) + value in audio
    assert read_tags(audio)["IKEY"] == "AIGC"


def test_label_in_mp3_is_a_user_text_frame_of_id3(tone: Callable[..., Samples]) -> None:
    audio = encode(tone(0.5), "mp3", tags=TAGS)

    assert audio.startswith(b"ID3\x04")
    assert b"TXXX" in audio[: tag_bytes(audio)]
    assert b"\x03AIGC\0" + TAGS["AIGC"].encode() in audio[: tag_bytes(audio)]


def test_label_in_m4a_is_a_freeform_atom(tone: Callable[..., Samples]) -> None:
    audio = encode(tone(0.5), "m4a", tags=TAGS)

    owner = b"mean\0\0\0\0com.apple.iTunes"
    at = audio.index(owner)
    assert audio[at - 8 : at - 4] == b"----"
    assert audio[at + len(owner) + 4 :].startswith(b"name\0\0\0\0AIGC")
    assert b"\xa9nam" in audio


def test_pcm_carries_no_label(tone: Callable[..., Samples]) -> None:
    samples = tone(0.5)

    assert encode(samples, "pcm", tags=TAGS) == encode(samples, "pcm")


@pytest.mark.parametrize("audio_format", TAGGED)
def test_relabel_changes_tags_and_no_packet(song: Callable[..., Samples], audio_format: AudioFormat) -> None:
    before = encode(song(1.7), audio_format, tags={"title": "upstream", "artist": "somebody", "comment": "made by X"})

    after = relabel(before, TAGS)

    demuxer = DEMUXERS[audio_format]
    assert packets_sha256(after, demuxer) == packets_sha256(before, demuxer)
    assert probe(after) == probe(before)
    assert read_label(after) == ai_label("Tutti", "trk_1")
    assert read_tags(after)["title"] == TITLE
    assert "artist" not in read_tags(after)
    assert b"made by X" not in after


@pytest.mark.parametrize("audio_format", TAGGED)
def test_relabel_twice_is_relabel_once(song: Callable[..., Samples], audio_format: AudioFormat) -> None:
    once = relabel(encode(song(0.5), audio_format), TAGS)

    assert relabel(relabel(once, {"title": "between"}), TAGS) == once


def test_relabel_without_tags_leaves_none(tone: Callable[..., Samples]) -> None:
    bare = relabel(encode(tone(0.5), "mp3", tags=TAGS), {})

    assert bare == encode(tone(0.5), "mp3")
    assert read_label(bare) is None


def test_relabel_drops_the_old_tag_at_the_end_of_an_mp3(tone: Callable[..., Samples]) -> None:
    bare = encode(tone(0.5), "mp3")

    assert relabel(bare + b"TAG" + b"x" * 125, {}) == bare


def test_relabel_of_no_audio_is_refused() -> None:
    with pytest.raises(BadAudio):
        relabel(b"<html>", TAGS)
