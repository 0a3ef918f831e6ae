"""The process in which one file of a stranger is read: little memory, little time, and no door to anything else.

    python -c "from generation.audio.isolated import main; main()" FORMAT LONGEST OUTPUT < file > report

The file comes on standard input; what is made of it goes to the open file OUTPUT, a number; the report is one JSON
object. Once everything is loaded, and before the first byte is looked at, no file, no socket and no process can be
opened any more.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from typing import Any, Final

from generation.audio.bad_audio import BadAudio

MEMORY_BYTES: Final = 512 * 1024 * 1024
CPU_SECONDS: Final = 10
ALARM_SECONDS: Final = 12
"""The end even if nobody is left to kill it."""
OUTPUT_BYTES: Final = 32 * 1024 * 1024
_OUTPUT: Final = 3


def main() -> None:
    audio_format, longest, output = sys.argv[1:]
    bound_resources()
    read = _reader_of(audio_format)
    close_doors(int(output))
    report = _report(read, longest_seconds=float(longest))
    sys.stdout.write(json.dumps(report))
    sys.stdout.flush()
    # Nothing of a process that has met a hostile file is tidied up.
    os._exit(0)


def bound_resources() -> None:
    """The limits hold for whatever comes, however it was written."""
    signal.alarm(ALARM_SECONDS)
    for kind, limit in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, OUTPUT_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (limit, limit))


def close_doors(output: int) -> None:
    """Keep the three standard files and the output, and no room for another: no file, no socket, no process."""
    if output != _OUTPUT:
        os.dup2(output, _OUTPUT)
    os.closerange(_OUTPUT + 1, max(output, _OUTPUT) + 1)
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OUTPUT + 1, _OUTPUT + 1))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def _reader_of(audio_format: str) -> Any:
    """Only what this file needs is loaded: FFmpeg's libraries take most of the start."""
    if audio_format == "mid":
        from generation.audio import tunes  # noqa: PLC0415

        return tunes.read
    from generation.audio import recode  # noqa: PLC0415

    return recode.read


def _report(read: Any, *, longest_seconds: float) -> dict[str, Any]:
    source = os.fdopen(0, "rb", closefd=False).read()
    try:
        with os.fdopen(_OUTPUT, "w+b", closefd=False) as target:
            made: dict[str, Any] = read(source, target, longest_seconds=longest_seconds)
            return made
    except BadAudio as bad:
        return {"refused": str(bad)}
