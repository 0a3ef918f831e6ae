"""The shape of a song: sections with bars and chords, the tempo that makes it as long as ordered."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import ceil, floor
from typing import TYPE_CHECKING

from generation.lyrics.tags import SectionType
from generation.providers.rehearsal.harmony import Chord, Key, chord_under, join_sections, progression
from generation.providers.rehearsal.lyrics import Stanza, SungLine
from generation.providers.rehearsal.sounds import SAMPLE_RATE

if TYPE_CHECKING:
    from generation.providers.rehearsal.given_tune import GivenTune

BEATS_PER_BAR = 4
SHORTEST_SECONDS, LONGEST_SECONDS = 31.0, 59.0
TEMPO_GIVE = 0.06

NATURAL_BARS = {"intro": 4, "verse": 8, "pre-chorus": 4, "chorus": 8, "bridge": 4, "break": 4, "outro": 4}
OWN_FORM: tuple[SectionType, ...] = ("intro", "verse", "chorus", "break", "verse", "chorus", "outro")

# Who plays. A border is heard because the list changes there.
LAYERS: dict[str, frozenset[str]] = {
    "intro": frozenset({"chords", "lead"}),
    "verse": frozenset({"drums", "bass", "chords", "voice"}),
    "pre-chorus": frozenset({"build", "bass", "pad", "arp", "voice"}),
    "chorus": frozenset({"full drums", "crash", "bass", "chords", "pad", "arp", "voice", "harmony"}),
    "bridge": frozenset({"half drums", "bass", "pad", "voice"}),
    "break": frozenset({"pad", "arp", "lead"}),
    "solo": frozenset({"full drums", "crash", "bass", "chords", "lead"}),
    "outro": frozenset({"chords", "lead"}),
}


@dataclass(frozen=True, slots=True)
class Passage:
    """A section as planned. `first_bar` counts from the start of the song; there is one chord per bar.

    `beats` is shorter than the bars where the song ends inside its last bar.
    """

    section_type: str
    first_bar: int
    beats: float
    chords: tuple[Chord, ...]
    layers: frozenset[str]
    lines: tuple[SungLine, ...]
    is_last: bool

    @property
    def bars(self) -> int:
        return len(self.chords)


@dataclass(frozen=True, slots=True)
class Plan:
    tempo_bpm: float
    frames: int
    passages: tuple[Passage, ...]

    def frame_of_bar(self, bar: int) -> int:
        return self.frame_of_beat(bar * BEATS_PER_BAR)

    def frame_of_beat(self, beat: float) -> int:
        return round(beat * 60.0 / self.tempo_bpm * SAMPLE_RATE)

    def end_frame(self, passage: Passage) -> int:
        return self.frames if passage.is_last else self.frame_of_bar(passage.first_bar + passage.bars)


def plan_song(
    stanzas: Sequence[Stanza],
    key: Key,
    tempo_bpm: float,
    duration_seconds: float | None,
    choose: random.Random,
    *,
    given: GivenTune | None = None,
    tempo_give: float = TEMPO_GIVE,
) -> Plan:
    """Lay sections out in bars. With an ordered length the tempo gives way by at most 6 % so that bars fill it.

    Under a given tune, which begins with the song, the chords follow the tune.
    """
    stanzas = tuple(stanzas) or tuple(Stanza(kind, kind, ()) for kind in OWN_FORM)
    bar_seconds = BEATS_PER_BAR * 60.0 / tempo_bpm
    if duration_seconds is None:
        bars = _own_bars(stanzas, bar_seconds)
        frames = round(bars * bar_seconds * SAMPLE_RATE)
    else:
        frames = max(1, round(duration_seconds * SAMPLE_RATE))
        bars, bar_seconds = _fitted_bars(frames / SAMPLE_RATE, bar_seconds, tempo_give)
    song_beats = round(frames / SAMPLE_RATE / bar_seconds * BEATS_PER_BAR, 2)
    passages = _lay_out(_affordable(stanzas, bars), bars, song_beats, _Harmonist(key, given, choose.random()))
    return Plan(BEATS_PER_BAR * 60.0 / bar_seconds, frames, passages)


def _own_bars(stanzas: Sequence[Stanza], bar_seconds: float) -> int:
    natural = sum(_natural_bars(stanza) for stanza in stanzas)
    fewest, most = ceil(SHORTEST_SECONDS / bar_seconds), floor(LONGEST_SECONDS / bar_seconds)
    bars = min(max(natural, fewest), most)
    return bars + bars % 2 if bars < most else bars


def _fitted_bars(seconds: float, bar_seconds: float, tempo_give: float) -> tuple[int, float]:
    whole = max(1, round(seconds / bar_seconds))
    fitted = seconds / whole
    if abs(fitted / bar_seconds - 1) <= tempo_give:
        return whole, fitted
    return ceil(seconds / bar_seconds), bar_seconds


def _natural_bars(stanza: Stanza) -> int:
    return max(2 * len(stanza.lines), NATURAL_BARS[stanza.section_type] // (1 if stanza.lines else 2), 2)


def _affordable(stanzas: Sequence[Stanza], bars: int) -> list[Stanza]:
    """A song shorter than its sections keeps the sung ones first, then the earlier ones."""
    if len(stanzas) <= bars:
        return list(stanzas)
    by_worth = sorted(range(len(stanzas)), key=lambda place: (not stanzas[place].lines, place))
    return [stanzas[place] for place in sorted(by_worth[:bars])]


@dataclass(frozen=True, slots=True)
class _Harmonist:
    """Who chooses the chords: rounds of their own for each kind of section, bent to a given tune."""

    key: Key
    given: GivenTune | None
    seed: float

    def chords(self, kind: str, first_bar: int, bars: int, *, again: bool) -> list[Chord]:
        around = progression(self.key, kind, again=again, choose=random.Random(f"{self.seed}:{kind}"))
        chords = [around[bar % len(around)] for bar in range(bars)]
        if self.given is None:
            return chords
        beats = [(first_bar + bar) * float(BEATS_PER_BAR) for bar in range(bars)]
        return [
            chord_under(self.key, chord, self.given.shares(beat, beat + BEATS_PER_BAR))
            for chord, beat in zip(chords, beats, strict=True)
        ]


def _lay_out(stanzas: Sequence[Stanza], bars: int, song_beats: float, harmonist: _Harmonist) -> tuple[Passage, ...]:
    shares = _share_bars([_natural_bars(stanza) for stanza in stanzas], bars)
    first_bars = [0, *accumulate(shares)]
    chords: list[list[Chord]] = []
    layers: list[frozenset[str]] = []
    for place, (stanza, share) in enumerate(zip(stanzas, shares, strict=True)):
        kind = stanza.section_type
        # The same kind of section has the same chords, unless it follows itself.
        again = place % 2 == 1 and stanzas[place - 1].section_type == kind
        chords.append(harmonist.chords(kind, first_bars[place], share, again=again))
        layers.append(_layers(stanza, layers[-1] if layers else None))
    return tuple(
        Passage(
            section_type=stanza.section_type,
            first_bar=first_bars[place],
            beats=min(float(len(joined) * BEATS_PER_BAR), song_beats - first_bars[place] * BEATS_PER_BAR),
            chords=joined,
            layers=layers[place],
            lines=stanza.lines,
            is_last=place == len(stanzas) - 1,
        )
        for place, (stanza, joined) in enumerate(zip(stanzas, join_sections(harmonist.key, chords), strict=True))
    )


def _layers(stanza: Stanza, before: frozenset[str] | None) -> frozenset[str]:
    name = "solo" if stanza.tag in ("solo", "inst") else stanza.section_type
    layers = LAYERS[name]
    if layers != before:
        return layers
    # The same section twice: the second round is coloured otherwise.
    return layers ^ frozenset({"arp", "pad", "crash"})


def _share_bars(natural: Sequence[int], bars: int) -> list[int]:
    """Give out bars in proportion, in pairs while there are enough, at least one each, all of them."""
    unit = 2 if bars >= 2 * len(natural) else 1
    units, spare = divmod(bars, unit)
    shares = [1] * len(natural)
    while sum(shares) < units:
        hungriest = max(range(len(natural)), key=lambda place: natural[place] / shares[place])
        shares[hungriest] += 1
    given = [share * unit for share in shares]
    given[-1] += spare
    return given
