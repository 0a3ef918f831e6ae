from __future__ import annotations

import asyncio
import io
import threading
import time
import wave
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from generation.audio.bad_audio import BadAudio
from generation.audio.decode import decode
from generation.audio.quality import judge
from generation.contract import Piece, Sampling, SongRequest
from generation.providers.base import Provider, ProviderError, UpstreamAccess
from generation.providers.rehearsal import Rehearsal, compose, recording
from generation.providers.rehearsal.provider import take_seed

LYRICS = "[Verse]\nWalking down the street\n[Chorus]\nDancing in the sun"
SONG = SongRequest(prompt="happy pop", lyrics=LYRICS, duration_seconds=5.0, seed=7)
UPSTREAM = UpstreamAccess(
    base_url="", credential="", model="rehearsal", endpoint="", shape="",
    connect_seconds=1.0, deadline_seconds=60.0, poll_seconds=1.0, reference="r-1",
)  # fmt: skip


@dataclass
class Told:
    """A line that remembers what it was told."""

    percents: list[float] = field(default_factory=list)
    phases: set[str] = field(default_factory=set)
    texts: list[str] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)

    async def progress(self, percent: float, phase: str) -> None:
        self.percents.append(percent)
        self.phases.add(phase)

    async def lyrics(self, text: str) -> None:
        self.texts.append(text)

    async def audio(self, piece: Piece) -> None:
        self.pieces.append(piece)

    async def ticket(self, upstream_id: str) -> None:
        raise AssertionError(f"a rehearsal has no upstream task, but named {upstream_id}")


class Naps:
    """A sleep that takes no time and remembers how long it was asked for."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def samples_of(audio: bytes) -> np.ndarray:
    with wave.open(io.BytesIO(audio)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 44_100)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)


async def test_a_song_comes_as_a_wav_with_sections_and_seed() -> None:
    told = Told()
    provider: Provider = Rehearsal()

    delivery = await provider.make(SONG, UPSTREAM, told)

    (take,) = delivery.takes
    composed = compose(prompt="happy pop", lyrics=LYRICS, duration_seconds=5.0, seed=7)
    assert np.array_equal(samples_of(take.audio), np.rint(composed.samples * np.float32(32767)).astype("<i2"))
    assert (take.sections, take.seed, delivery.lyrics) == (composed.sections, 7, LYRICS)
    assert (told.percents, told.phases, told.texts) == ([0.0, 100.0], {"compose"}, [LYRICS])
    judge(decode(take.audio), 5.0)


async def test_takes_differ_and_each_can_be_made_again_alone() -> None:
    told = Told()

    delivery = await Rehearsal().make(replace(SONG, takes=3), UPSTREAM, told)
    again = await Rehearsal().make(replace(SONG, seed=delivery.takes[2].seed), UPSTREAM, Told())

    assert [take.seed for take in delivery.takes] == [take_seed(7, take) for take in range(3)]
    assert len({take.audio for take in delivery.takes}) == 3
    assert again.takes[0].audio == delivery.takes[2].audio
    assert told.percents == [0.0, pytest.approx(100 / 3), pytest.approx(200 / 3), 100.0]


async def test_without_a_seed_the_same_order_gives_the_same_song() -> None:
    order = replace(SONG, seed=None)

    first, second = [await Rehearsal().make(order, UPSTREAM, Told()) for _ in range(2)]

    assert first == second
    assert first.takes[0].seed is not None


async def test_an_instrumental_says_no_lyrics() -> None:
    told = Told()

    delivery = await Rehearsal().make(replace(SONG, instrumental=True), UPSTREAM, told)

    assert (delivery.lyrics, told.texts) == (None, [])
    assert all(section.lines == () for section in delivery.takes[0].sections)


async def test_lyrics_are_written_where_none_came_and_shared_by_the_takes() -> None:
    told = Told()

    delivery = await Rehearsal().make(replace(SONG, lyrics=None, takes=2), UPSTREAM, told)

    assert told.texts == [delivery.lyrics]
    assert all(any(section.lines for section in take.sections) for take in delivery.takes)


async def test_temperature_reaches_the_composer() -> None:
    tame, wild = [
        await Rehearsal().make(replace(SONG, sampling=Sampling(temperature=heat)), UPSTREAM, Told())
        for heat in (0.0, 2.0)
    ]

    assert tame.takes[0].audio != wild.takes[0].audio


@pytest.mark.parametrize("failure", ["timeout", "rate_limit", "refused", "cut", "empty"])
async def test_a_failure_on_request_makes_nothing(failure: str) -> None:
    with ThreadPoolExecutor(1) as executor:
        executor.shutdown()  # composing would fail loudly
        with pytest.raises(ProviderError, match="The rehearsal acted out"):
            await Rehearsal(executor).make(replace(SONG, prompt=f"fail:{failure} happy pop"), UPSTREAM, Told())


async def test_bad_audio_is_a_whole_file_that_the_quality_gate_refuses() -> None:
    order = replace(SONG, prompt="fail:bad_audio happy pop", takes=2)

    delivery = await Rehearsal().make(order, UPSTREAM, Told())

    assert len(delivery.takes) == 2
    for take in delivery.takes:
        with pytest.raises(BadAudio):
            judge(decode(take.audio), 5.0)


async def test_the_acting_word_is_not_part_of_the_song() -> None:
    naps = Naps()

    acted = await Rehearsal(sleep=naps).make(replace(SONG, prompt="slow:3 happy pop", seed=None), UPSTREAM, Told())
    plain = await Rehearsal().make(replace(SONG, seed=None), UPSTREAM, Told())

    assert acted == plain


async def test_waiting_takes_the_time_asked_for_and_shows_progress() -> None:
    naps, told = Naps(), Told()

    await Rehearsal(sleep=naps).make(replace(SONG, prompt="slow:60 happy pop"), UPSTREAM, told)

    assert sum(naps.seconds) == pytest.approx(60.0)
    assert told.percents == sorted(told.percents)
    assert (len(told.percents), told.percents[-1]) == (8, 100.0)


async def test_a_slow_failure_waits_first() -> None:
    naps = Naps()

    with pytest.raises(ProviderError):
        await Rehearsal(sleep=naps).make(replace(SONG, prompt="slow:2 fail:cut x"), UPSTREAM, Told())

    assert sum(naps.seconds) == 2.0


async def test_many_waits_hold_no_thread() -> None:
    before = threading.active_count()
    order = replace(SONG, prompt="slow:600 happy pop")

    waiting = [asyncio.create_task(Rehearsal().make(order, UPSTREAM, Told())) for _ in range(200)]
    await asyncio.sleep(0.05)
    during = threading.active_count()
    for task in waiting:
        task.cancel()
    ends = await asyncio.gather(*waiting, return_exceptions=True)

    assert during == before
    assert all(isinstance(end, asyncio.CancelledError) for end in ends)


async def test_the_loop_goes_on_while_a_song_is_composed() -> None:
    ticks: list[float] = []

    async def tick() -> None:
        while True:
            ticks.append(time.monotonic())
            await asyncio.sleep(0)

    ticking = asyncio.create_task(tick())
    await Rehearsal().make(replace(SONG, duration_seconds=20.0), UPSTREAM, Told())
    ticking.cancel()

    assert len(ticks) > 50


async def test_cancelling_stops_the_composer(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, stopped = threading.Event(), threading.Event()

    def compose_for_ever(*, is_stopped, **_order) -> None:
        begun.set()
        while not is_stopped():
            time.sleep(0.001)
        stopped.set()

    monkeypatch.setattr(recording, "compose", compose_for_ever)
    with ThreadPoolExecutor(1) as executor:
        task = asyncio.create_task(Rehearsal(executor).make(SONG, UPSTREAM, Told()))
        await asyncio.to_thread(begun.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert await asyncio.to_thread(stopped.wait, 10)


async def test_composing_never_takes_more_than_its_two_threads() -> None:
    orders = [Rehearsal().make(replace(SONG, duration_seconds=1.0, seed=seed), UPSTREAM, Told()) for seed in range(12)]

    await asyncio.gather(*orders)

    named = [thread for thread in threading.enumerate() if thread.name.startswith("rehearsal")]
    assert 1 <= len(named) <= 2


def test_a_rehearsal_may_be_repeated() -> None:
    assert (Rehearsal.slug, Rehearsal.repeatable) == ("rehearsal", True)
