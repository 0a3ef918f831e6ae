"""What each upstream wire can carry of an order, whatever model stands behind it.

A ceiling is written in the words of a model's capabilities; a name that is left out is not carried. What an order may
hold is what both the model's row and the ceiling of its upstream allow. Prompt, title, number of takes, format and the
audible mark are everyone's: what a wire has no field for is done by us.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

TUTTI: Final = "tutti"
"""The shape of an upstream that is a Tutti itself."""
OFFICIAL: Final = "official"
"""The shape of Mureka's own service, where the other one is a reseller's."""

SAMPLING: Final = ("top_k", "top_p", "temperature", "cfg_coef")
REFERENCES: Final = ("reference", "vocal", "melody")

Ceiling = Mapping[str, Any]

_MINIMAX: Final[Ceiling] = {
    "prompt": "optional",
    "lyrics": "optional",
    "instrumental": "exact",
    "lyrics_optimizer": True,
    "watermark": "native",
    "streaming": "live",
}
_LYRIA: Final[Ceiling] = {
    "prompt": "optional",
    "lyrics": "optional",  # folded into the one text
    "instrumental": "wish",
    "duration": "wish",
    "timings": "lines",
}
_MUREKA: Final[Ceiling] = {
    "prompt": "optional",
    "lyrics": "required",
    "references": REFERENCES,
    "extend": True,
    "timings": "words",
    "streaming": "live",
}
_MUSICGEN_HTTP: Final[Ceiling] = {
    "prompt": "required",
    "instrumental": "always",
    "duration": "exact",
    "sampling": SAMPLING,
    "enhance": True,
    "stereo": False,
}
_MUSICGEN: Final[Ceiling] = {
    **_MUSICGEN_HTTP,
    "seed": True,
    "references": ("melody",),
    "extend": True,
    "stereo": True,
    "streaming": "live",
}
_OPENAI_MUSIC: Final[Ceiling] = {"prompt": "required", "lyrics": "required"}
_OPENAI_MUSIC_TUTTI: Final[Ceiling] = {
    "prompt": "required",
    "lyrics": "optional",
    "instrumental": "exact",
    "lyrics_optimizer": True,
    "duration": "exact",
    "seed": True,
    "sampling": SAMPLING,
    "enhance": True,
}
_REHEARSAL: Final[Ceiling] = {
    "prompt": "optional",
    "lyrics": "optional",
    "instrumental": "exact",
    "lyrics_optimizer": True,
    "duration": "exact",
    "seed": True,
    "sampling": SAMPLING,
    "enhance": True,
    "references": REFERENCES,
    "extend": True,
    "timings": "words",
    "watermark": "native",
    "streaming": "live",
}

_CEILINGS: Final[dict[str, Ceiling]] = {
    "minimax": _MINIMAX,
    "lyria": _LYRIA,
    "mureka": _MUREKA,
    f"mureka/{OFFICIAL}": {**_MUREKA, "instrumental": "exact"},
    "musicgen": _MUSICGEN,
    "musicgen_http": _MUSICGEN_HTTP,
    f"musicgen_http/{TUTTI}": {**_MUSICGEN_HTTP, "seed": True, "stereo": True},
    "openai_music": _OPENAI_MUSIC,
    f"openai_music/{TUTTI}": _OPENAI_MUSIC_TUTTI,
    "rehearsal": _REHEARSAL,
}


def ceiling_of(provider: str, shape: str) -> Ceiling | None:
    """The most that this provider carries on a wire of this shape; None for a provider nobody described."""
    return _CEILINGS.get(f"{provider}/{shape}", _CEILINGS.get(provider))
