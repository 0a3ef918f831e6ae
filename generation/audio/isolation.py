"""Files of strangers, each read in a short-lived process (see `isolated`): a few at once, and none for long.

Nothing here holds a thread or a database connection while such a process is at work.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final
from weakref import WeakKeyDictionary

from generation.audio.bad_audio import BadAudio
from generation.audio.midi import Note
from generation.audio.purposes import HEAD_BYTES, RULES, format_of

AT_ONCE: Final = max(2, os.cpu_count() or 1)
"""Processes at work in the same moment, of one server process."""
WAITING_SECONDS: Final = 4.5
"""How long a file waits for its turn before its sender is asked to come again."""
ALL_SECONDS: Final = 8.5
"""From the first wait to the answer, whatever happens."""
LENGTH_TOLERANCE_MS: Final = 50
"""One packet of a lossy codec: a file of "thirty seconds" may lack as much."""
LONGEST_REPORT: Final = 4 * 1024 * 1024

_PROGRAM: Final = "from generation.audio.isolated import main; main()"
_HOUSE: Final = Path(__file__).resolve().parents[2]
# Nothing of the server's own environment, where its secrets stand.
_ENVIRONMENT: Final = {"PYTHONPATH": str(_HOUSE), "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"}
_SPELLED: Final = {"mp3": "MP3", "m4a": "M4A", "mid": "MIDI"}


class TooBusy(Exception):
    """More files wait to be read than can be read in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """What was made of a file: its format, its length in milliseconds, and the tune of a MIDI file."""

    format: str
    duration_ms: int
    tune: tuple[Note, ...] = ()


async def clean(source: BinaryIO, target: BinaryIO, *, claimed: str, purpose: str) -> Cleaned:
    """Write to `target` what of `source` is worth keeping; both are open files with descriptors.

    `claimed` is what the file's first bytes say. Raises BadAudio with a sentence for the caller, TooBusy.
    """
    loop = asyncio.get_running_loop()
    came = loop.time()
    async with _turn():
        left = ALL_SECONDS - (loop.time() - came)
        report = await _run(source, target, (claimed, str(RULES[purpose].longest_seconds)), left)
        if report is None and left < ALL_SECONDS - 1:
            raise TooBusy  # it had to wait, and might have been read in the time that took
    cleaned = _cleaned(report, target, claimed)
    if cleaned.duration_ms < 1000 * RULES[purpose].shortest_seconds - LENGTH_TOLERANCE_MS:
        seconds = cleaned.duration_ms / 1000
        raise BadAudio(f"A file for {purpose} must be {RULES[purpose]}; this one has {seconds:.1f}.")
    return cleaned


async def _run(source: BinaryIO, target: BinaryIO, arguments: Sequence[str], seconds: float) -> bytes | None:
    """The report of the process; None when its time was over, empty when it broke."""
    os.lseek(source.fileno(), 0, os.SEEK_SET)  # the process goes on where the descriptor stands, whatever was buffered
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-s", "-P", "-c", _PROGRAM),
        *(*arguments, str(target.fileno())),
        stdin=source,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        pass_fds=(target.fileno(),),
        env=_ENVIRONMENT,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(seconds):
            report = await _read(process)
            return report if await process.wait() == 0 else b""
    except TimeoutError:
        return None
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _read(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None  # noqa: S101 - it was asked for
    report = b""
    while piece := await process.stdout.read(64 * 1024):
        report += piece
        if len(report) > LONGEST_REPORT:
            process.kill()
            return b""
    return report


def _cleaned(report: bytes | None, target: BinaryIO, claimed: str) -> Cleaned:
    """Nothing is believed of a process that has met a hostile file: what it says and wrote is looked at."""
    unreadable = BadAudio(f"The file could not be read as {_SPELLED[claimed]}.")
    try:
        told: Mapping[str, Any] = json.loads(report or b"")
        if isinstance(refused := told.get("refused"), str):
            raise BadAudio(refused)
        made = Cleaned(
            format=str(told["format"]),
            duration_ms=int(told["duration_ms"]),
            tune=tuple(Note(*(int(value) for value in note)) for note in told["tune"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        raise unreadable from None
    target.seek(0)
    if format_of(target.read(HEAD_BYTES)) != made.format:
        raise unreadable
    return made


# --- Turns ----------------------------------------------------------------------------------------------------------

_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


@asynccontextmanager
async def _turn() -> AsyncIterator[None]:
    turns = _turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE))
    try:
        async with asyncio.timeout(WAITING_SECONDS):
            await turns.acquire()
    except TimeoutError:
        raise TooBusy from None
    try:
        yield
    finally:
        turns.release()
