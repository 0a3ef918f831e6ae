"""The tune of a MIDI file, and a file that holds a tune and nothing else.

Only what sounds is read: notes and tempo. Source: MIDI Association, "Standard MIDI Files 1.0" (RP-001).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Final, NamedTuple

from generation.audio.bad_audio import BadAudio

MOST_TRACKS: Final = 256
MOST_NOTES: Final = 20_000

_NOT_MIDI: Final = "The MIDI file is damaged: it cannot be read to its end."
_HEADER_BYTES, _CHUNK_BYTES = 6, 8
_USUAL_TEMPO: Final = 500_000
"""Microseconds per quarter, until a file says otherwise."""
_DRUMS: Final = 9
_NOTE_OFF, _NOTE_ON, _SYSEX, _SYSEX_MORE, _META = 0x8, 0x9, 0xF0, 0xF7, 0xFF
_TEMPO, _END_OF_TRACK, _TEMPO_BYTES = 0x51, 0x2F, 3
_DATA_BYTES: Final = {0x8: 2, 0x9: 2, 0xA: 2, 0xB: 2, 0xC: 1, 0xD: 1, 0xE: 2}
_LONGEST_NUMBER_BYTES: Final = 4
_TICKS_PER_QUARTER: Final = 500
_VELOCITY: Final = 96


class Note(NamedTuple):
    """One note of a tune: milliseconds from its start, and the pitch as MIDI counts (60 is middle C)."""

    start: int
    end: int
    pitch: int


class _Key(NamedTuple):
    """A note as a file has it, in ticks."""

    start: int
    end: int
    pitch: int


class _Score(NamedTuple):
    """What was found in all tracks: notes of pitched instruments, and tempo changes (tick, microseconds)."""

    keys: list[_Key]
    tempos: list[tuple[int, int]]


def read_tune(data: bytes) -> list[Note]:
    """The highest line that sounds, from its first note on; drums are left out. Raises BadAudio."""
    try:
        division, tracks = _chunks(data)
        score = _Score([], [])
        for track in tracks:
            _read_track(track, score)
    except (IndexError, ValueError):
        raise BadAudio(_NOT_MIDI) from None
    if not score.keys:
        raise BadAudio("The MIDI file holds no notes.")
    clock = _Clock(division, score.tempos)
    notes = (Note(clock.at(key.start), clock.at(key.end), key.pitch) for key in score.keys)
    return _from_zero(_highest_line(notes))


def trimmed(tune: Sequence[Note], milliseconds: int) -> list[Note]:
    """The tune up to a moment; a note that sounds then ends there."""
    return [Note(note.start, min(note.end, milliseconds), note.pitch) for note in tune if note.start < milliseconds]


def write_tune(tune: Sequence[Note]) -> bytes:
    """A MIDI file of one track that holds these notes: its tick is a millisecond."""
    track = bytearray()
    now = 0
    for moment, is_on, pitch in sorted(_strokes(tune)):
        status = _NOTE_ON if is_on else _NOTE_OFF
        track += _number(moment - now) + bytes((status << 4, pitch, _VELOCITY if is_on else 0))
        now = moment
    track += bytes((0, _META, _END_OF_TRACK, 0))
    header = b"".join(value.to_bytes(2, "big") for value in (0, 1, _TICKS_PER_QUARTER))
    return _chunk(b"MThd", header) + _chunk(b"MTrk", bytes(track))


# --- Reading: IndexError and ValueError stand for a damaged file ---------------------------------------------------


def _chunks(data: bytes) -> tuple[bytes, list[bytes]]:
    """The division, two bytes, and the tracks."""
    found = list(_split(data))
    if not found or found[0][0] != b"MThd" or len(found[0][1]) < _HEADER_BYTES:
        raise ValueError("no header")
    header = found[0][1]
    form, count = int.from_bytes(header[:2], "big"), int.from_bytes(header[2:4], "big")
    tracks = [body for name, body in found[1:] if name == b"MTrk"]
    if form not in (0, 1) or not 1 <= count <= MOST_TRACKS or len(tracks) != count:
        raise ValueError("another number of tracks")
    return header[4:6], tracks


def _split(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 0
    while place + _CHUNK_BYTES <= len(data):
        size = int.from_bytes(data[place + 4 : place + _CHUNK_BYTES], "big")
        end = place + _CHUNK_BYTES + size
        if end > len(data):
            raise ValueError("a chunk longer than the file")
        yield data[place : place + 4], data[place + _CHUNK_BYTES : end]
        place = end


def _read_track(track: bytes, score: _Score) -> None:
    place = tick = running = 0
    sounding: dict[tuple[int, int], int] = {}
    while True:
        pause, place = _read_number(track, place)
        tick += pause
        status = track[place]
        if status in (_META, _SYSEX, _SYSEX_MORE):
            kind, body, place = _read_long(track, place, status)
            running = 0
            if kind == _END_OF_TRACK:
                break
            if kind == _TEMPO and len(body) == _TEMPO_BYTES:
                score.tempos.append((tick, int.from_bytes(body, "big") or _USUAL_TEMPO))
            continue
        if status & 0x80:
            running, place = status, place + 1
        place = _read_voice(track, place, running, _Hand(tick, sounding, score))
    for (_, pitch), start in sounding.items():
        _keep(score, start, tick, pitch)


def _read_long(track: bytes, place: int, status: int) -> tuple[int, bytes, int]:
    """A message that says its own length: its kind (0 unless it is a meta event), its body, the place behind it."""
    kind = 0
    if status == _META:
        place += 1
        kind = track[place]
    size, place = _read_number(track, place + 1)
    if place + size > len(track):
        raise ValueError("a message longer than its track")
    return kind, track[place : place + size], place + size


class _Hand(NamedTuple):
    """Where a track is: its moment, which keys are down since when, and where what sounded is kept."""

    tick: int
    sounding: dict[tuple[int, int], int]
    score: _Score


def _read_voice(track: bytes, place: int, status: int, hand: _Hand) -> int:
    """A message of a channel; the place behind it."""
    kind, channel = status >> 4, status & 0xF
    if kind not in _DATA_BYTES:
        raise ValueError("a message of no channel")
    end = place + _DATA_BYTES[kind]
    body = track[place:end]
    if len(body) != _DATA_BYTES[kind] or max(body) > 0x7F:  # noqa: PLR2004 - data has seven bits
        raise ValueError("a message without its data")
    if kind in (_NOTE_ON, _NOTE_OFF) and channel != _DRUMS:
        key = channel, body[0]
        if key in hand.sounding:
            _keep(hand.score, hand.sounding.pop(key), hand.tick, body[0])
        if kind == _NOTE_ON and body[1]:
            hand.sounding[key] = hand.tick
    return end


def _keep(score: _Score, start: int, end: int, pitch: int) -> None:
    if end > start:
        score.keys.append(_Key(start, end, pitch))
    if len(score.keys) > MOST_NOTES:
        raise BadAudio(f"The MIDI file holds more than {MOST_NOTES:,} notes.")


def _read_number(track: bytes, place: int) -> tuple[int, int]:
    """A number of seven bits per byte, and the place behind it."""
    value = 0
    for byte in range(_LONGEST_NUMBER_BYTES):
        value = value << 7 | track[place + byte] & 0x7F
        if not track[place + byte] & 0x80:
            return value, place + byte + 1
    raise ValueError("a number without end")


# --- Time -----------------------------------------------------------------------------------------------------------


class _Clock:
    """Ticks as milliseconds, by the tempo changes of all tracks."""

    def __init__(self, division: bytes, tempos: Iterable[tuple[int, int]]) -> None:
        frames, ticks = division
        if frames & 0x80:  # frames per second, negative, and ticks per frame: no tempo counts
            if not ticks:
                raise BadAudio(_NOT_MIDI)
            self._changes, self._per_tick = [0], [1_000_000 / ((0x100 - frames) * ticks)]
        else:
            per_quarter = int.from_bytes(division, "big")
            if not per_quarter:
                raise BadAudio(_NOT_MIDI)
            by_tick = {0: _USUAL_TEMPO} | dict(sorted(tempos, key=lambda change: change[0]))
            self._changes = list(by_tick)
            self._per_tick = [tempo / per_quarter for tempo in by_tick.values()]
        lengths = (
            (later - earlier) * pace
            for (earlier, later), pace in zip(pairwise(self._changes), self._per_tick, strict=False)
        )
        self._elapsed = list(accumulate(lengths, initial=0.0))

    def at(self, tick: int) -> int:
        last = bisect_right(self._changes, tick) - 1
        return round((self._elapsed[last] + (tick - self._changes[last]) * self._per_tick[last]) / 1000)


# --- The line ---------------------------------------------------------------------------------------------------


def _highest_line(notes: Iterable[Note]) -> list[Note]:
    """At each moment the highest note that has begun; a higher one ends it, a lower one is not heard."""
    line: list[Note] = []
    for note in sorted(notes, key=lambda note: (note.start, -note.pitch)):
        last = line[-1] if line else None
        if last is not None and last.end > note.start:
            if note.pitch <= last.pitch:
                continue
            line[-1] = Note(last.start, note.start, last.pitch)
        line.append(note)
    return [note for note in line if note.end > note.start]


def _from_zero(line: Sequence[Note]) -> list[Note]:
    if not line:
        raise BadAudio("The MIDI file holds no notes.")
    first = line[0].start
    return [Note(note.start - first, note.end - first, note.pitch) for note in line]


# --- Writing --------------------------------------------------------------------------------------------------------


def _strokes(tune: Sequence[Note]) -> Iterator[tuple[int, bool, int]]:
    """(milliseconds, whether the key goes down, pitch); at one moment keys go up before others go down."""
    for note in tune:
        yield note.start, True, note.pitch
        yield note.end, False, note.pitch


def _number(value: int) -> bytes:
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + len(body).to_bytes(4, "big") + body
