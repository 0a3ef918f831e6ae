"""Points at which a test may kill the process, to prove that nothing is lost there.

Inert unless `TUTTI_FAULT` names the point, which production settings refuse.
"""

from __future__ import annotations

import os
import signal
from typing import Literal

from django.conf import settings

Point = Literal[
    "submitted",  # the order is stored, nobody was told
    "claimed",  # a runner has it, the upstream was not called
    "answered",  # the upstream answered, nothing of it is stored
    "received",  # the answer is stored raw
    "prepared",  # the audio is ready, no row knows of it
    "delivered",  # the track is written, the money has not moved
    "settled",  # all is done, nobody was told
]


def reach(point: Point) -> None:
    """Kill this process, as a power cut would, when the fault for this point is set."""
    if point == settings.TUTTI_FAULT:
        os.kill(os.getpid(), signal.SIGKILL)
