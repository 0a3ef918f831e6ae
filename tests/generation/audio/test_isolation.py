"""What a stranger's file can do: it is made anew, or it is refused; the process that read it is gone either way."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import pytest

from generation.audio import isolated, isolation
from generation.audio.bad_audio import BadAudio
from generation.audio.decode import probe
from generation.audio.isolation import Cleaned, TooBusy, clean
from generation.audio.midi import Note, read_tune, write_tune
from generation.audio.purposes import HEAD_BYTES, RULES, claimed_format
from tests.generation.mutations import mutated
from tests.generation.songs_to_send import song, tune

MUTATED = 99


@contextmanager
def opened(data: bytes) -> Iterator[Any]:
    with TemporaryFile() as file:
        file.write(data)
        file.flush()
        yield file


async def read(data: bytes, purpose: str = "voice", *, claimed: str | None = None) -> tuple[Cleaned, bytes]:
    """What was made of a file, and the file that it is kept as."""
    with opened(data) as source, TemporaryFile() as made:
        claimed = claimed or claimed_format(data[:HEAD_BYTES], len(data), purpose)
        cleaned = await clean(source, made, claimed=claimed, purpose=purpose)
        made.seek(0)
        return cleaned, made.read()


# --- Files that are well ------------------------------------------------------------------------------------------

WELL = [(purpose, kind) for purpose, rule in RULES.items() for kind in rule.formats]


@pytest.mark.parametrize(("purpose", "kind"), WELL)
async def test_file_of_every_format_is_taken_by_the_rule_of_its_purpose(purpose: str, kind: str) -> None:
    rule = RULES[purpose]
    for seconds in (rule.shortest_seconds or 1, min(rule.longest_seconds + 2, 62)):
        cleaned, made = await read(song(kind, seconds), purpose)

        assert abs(cleaned.duration_ms - 1000 * min(seconds, rule.longest_seconds)) <= 50
        assert cleaned.format == ("mid" if kind == "mid" else "m4a")
        assert abs(_length_of(cleaned, made) - cleaned.duration_ms) <= 1


def _length_of(cleaned: Cleaned, made: bytes) -> int:
    """As somebody else reads it."""
    return read_tune(made)[-1].end if cleaned.format == "mid" else probe(made).duration_ms


async def test_what_a_file_says_beside_its_sound_is_not_kept() -> None:
    data = b"ID3\x04\0\0\0\0\0\x15TIT2\0\0\0\x0b\0\0\x03secret-123" + song("mp3", 6)

    _, made = await read(data)

    assert song("mp3", 6).startswith(b"ID3"), "so that this file has two tags"
    assert b"secret-123" not in made


async def test_tune_is_all_that_is_kept_of_a_midi_file() -> None:
    notes = [Note(0, 900, 60), Note(1000, 6000, 64)]
    data = write_tune(notes).replace(b"\x00\xff\x2f\x00", b"\x00\xff\x01\x06secret\x00\xff\x2f\x00")
    size = len(data) - 22
    cleaned, made = await read(data[:18] + size.to_bytes(4, "big") + data[22:], "melody")

    assert cleaned.tune == tuple(notes)
    assert (read_tune(made), b"secret" in made) == (notes, False)


# --- Files that are not -------------------------------------------------------------------------------------------


async def test_mutated_files_are_made_anew_or_refused() -> None:
    sources = {"mp3": song("mp3", 6), "m4a": song("m4a", 6), "mid": tune(8)}
    ends = Counter([await end_of(*mutated(sources, number)) for number in range(MUTATED)])

    assert sum(ends.values()) == MUTATED
    assert set(ends) == {"made anew", "refused", "refused at the door"}


async def end_of(kind: str, data: bytes) -> str:
    purpose = "melody" if kind == "mid" else "voice"
    try:
        claimed = claimed_format(data[:HEAD_BYTES], len(data), purpose)
    except BadAudio:
        return "refused at the door"
    try:
        cleaned, made = await read(data, purpose, claimed=claimed)
    except BadAudio:
        return "refused"
    assert cleaned.format == "mid" or hashlib.sha256(made).digest() != hashlib.sha256(data).digest()
    assert abs(_length_of(cleaned, made) - cleaned.duration_ms) <= 1
    return "made anew"


async def test_file_that_claims_one_thing_and_is_another_is_refused() -> None:
    adts_behind_a_tag = b"ID3\x04\0\0\0\0\0\0" + song("aac", 6)

    with pytest.raises(BadAudio, match="neither MP3 nor M4A"):
        await read(adts_behind_a_tag)


# --- What a process that was taken over can do ---------------------------------------------------------------------


def hijacked(monkeypatch: pytest.MonkeyPatch, deed: str) -> None:
    """As if a file had made the reading process do this, when it had written what would pass for a song."""
    lines = textwrap.indent(textwrap.dedent(deed), "    ")
    program = (
        "from generation.audio import isolated, recode\n"
        "def deed(source, target, *, longest_seconds):\n"
        f"    target.write({PASSES!r})\n{lines}\n"
        "    return {'format': 'm4a', 'duration_ms': 6000, 'tune': []}\n"
        "recode.read = deed\n"
        "isolated.main()\n"
    )
    monkeypatch.setattr(isolation, "_PROGRAM", program)


PASSES = b"\0\0\0\x20ftypM4A "
UNREADABLE = "The file could not be read as MP3."


@pytest.mark.parametrize(
    "deed",
    [
        "bytearray(1024 ** 3)",
        "import ctypes; ctypes.string_at(0)",
        "import os; os.abort()",
        "import os; os._exit(0)",
        "raise RecursionError",
        "print('{}' * 10 ** 7, flush=True)",
        "print('[1, 2]', flush=True)",
        "target.write(bytes(10 ** 8))",
        "target.seek(0); target.write(source)",
    ],
)
async def test_whatever_it_does_is_one_refusal(monkeypatch: pytest.MonkeyPatch, deed: str) -> None:
    hijacked(monkeypatch, deed)

    with pytest.raises(BadAudio) as refused:
        await read(song("mp3", 6))

    assert str(refused.value) == UNREADABLE


async def test_one_that_does_nothing_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    hijacked(monkeypatch, "pass")

    assert await read(song("mp3", 6)) == (Cleaned(format="m4a", duration_ms=6000), PASSES)


@pytest.mark.parametrize("deed", ["while True: pass", "import time; time.sleep(60)"])
async def test_process_without_end_is_ended(monkeypatch: pytest.MonkeyPatch, deed: str) -> None:
    monkeypatch.setattr(isolation, "ALL_SECONDS", 1.5)
    hijacked(monkeypatch, deed)

    with pytest.raises(BadAudio) as refused:
        await read(song("mp3", 6))

    assert str(refused.value) == UNREADABLE
    assert children() == []


def children() -> list[str]:
    """All but the stand-ins of other tests, which may be at work beside this process too."""
    own = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [one for one in own if b"standin" not in _command_of(one)]


def _command_of(process: str) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes()
    return b""


@pytest.mark.parametrize(
    "door",
    [
        "import socket; socket.socket()",
        "open('/etc/passwd')",
        "open('/tmp/left-behind', 'w')",
        "import os; os.pipe()",
        "import os; os.open('/proc/self/environ', 0)",
    ],
)
def test_no_door_is_open(door: str) -> None:
    tried = f"""
        try:
            {door}
        except OSError as closed:
            assert closed.errno == 24, closed
        else:
            raise AssertionError('a door was open')
    """
    program = (
        "import socket\nfrom generation.audio import isolated, recode\n"
        f"def deed(source, target, *, longest_seconds):\n{textwrap.indent(textwrap.dedent(tried), '    ')}\n"
        "    return {'closed': True}\n"
        "recode.read = deed\n"
        "isolated.main()\n"
    )
    with opened(b"x") as source, TemporaryFile() as made:
        done = subprocess.run(
            [sys.executable, "-s", "-P", "-c", program, "mp3", "1", str(made.fileno())],
            stdin=source,
            capture_output=True,
            pass_fds=(made.fileno(),),
            env=isolation._ENVIRONMENT,
            check=False,
        )

    assert (done.returncode, json.loads(done.stdout or "{}")) == (0, {"closed": True}), done.stderr


def test_process_inherits_no_secret() -> None:
    assert sorted(isolation._ENVIRONMENT) == ["LANG", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH"]


def test_process_needs_neither_django_nor_numpy() -> None:
    program = "import sys; from generation.audio import isolated, recode, tunes; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-s", "-P", "-c", program], env=isolation._ENVIRONMENT, capture_output=True, check=True
    )

    assert {"django", "numpy"} & set(done.stdout.decode().split()) == set()


def test_memory_is_bounded_at_512_mib() -> None:
    assert isolated.MEMORY_BYTES == 512 * 2**20


# --- Turns ---------------------------------------------------------------------------------------------------------


async def test_only_a_few_are_read_at_once_and_the_rest_is_asked_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "AT_ONCE", 1)
    monkeypatch.setattr(isolation, "WAITING_SECONDS", 0.2)
    hijacked(monkeypatch, "import time; time.sleep(1.5)")
    data = song("mp3", 6)

    ends = await asyncio.gather(read(data), read(data), return_exceptions=True)

    assert [type(end) for end in ends] == [tuple, TooBusy]


async def test_one_who_leaves_takes_the_process_along(monkeypatch: pytest.MonkeyPatch) -> None:
    hijacked(monkeypatch, "import time; time.sleep(60)")
    reading = asyncio.create_task(read(song("mp3", 6)))
    async with asyncio.timeout(10):
        while not children():
            await asyncio.sleep(0.01)
    assert len(children()) == 1

    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)

    assert children() == []
