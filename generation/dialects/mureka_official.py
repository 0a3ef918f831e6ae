"""The wire `mureka` as its vendor speaks it: the body names the model, and answers are flat."""

from __future__ import annotations

from typing import Final

from generation.dialects.mureka import Mureka
from generation.dialects.mureka_envelopes import Envelope, OfficialEnvelope

SLUG: Final = "mureka_official"


class MurekaOfficial(Mureka):
    slug = SLUG
    envelope: Envelope = OfficialEnvelope()
