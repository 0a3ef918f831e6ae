"""A song continued: what was there is there, and what comes fits on."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from generation.audio.decode import decode
from generation.audio.encode import encode
from generation.audio.loudness import integrated_loudness_lufs
from generation.audio.quality import judge
from generation.audio.samples import Samples
from generation.contract import AudioFormat, Delivery, Extend, SongRequest, SourceFile, SourceTrack
from generation.providers.base import ProviderError
from generation.providers.rehearsal import Composition, Rehearsal, compose
from generation.providers.rehearsal.harmony import PITCH_NAMES
from generation.providers.rehearsal.listening import HeardKey, key_of, pulse_of, tempo_of
from generation.providers.rehearsal.wav import wav_file
from tests.generation.providers.rehearsal.shelves import Shelf, Told, access

LYRICS = "[Verse]\nWalking down the street\nFeeling the beat\n[Chorus]\nDancing in the sun\nHaving so much fun"
NEW_LYRICS = "[Verse]\nEvening comes along\nAnd it brings a song\n[Chorus]\nStars are in the sky"
BEFORE = 24.0
SONG = SongRequest(prompt="happy rock in C major, 140 bpm", lyrics=NEW_LYRICS, seed=5)
SHAPES: list[tuple[AudioFormat, int, int]] = [
    ("wav", 44_100, 2), ("flac", 48_000, 2), ("wav", 32_000, 1), ("pcm", 24_000, 2), ("flac", 22_050, 1),
]  # fmt: skip
LOSSY: list[tuple[AudioFormat, int, int]] = [("mp3", 44_100, 2), ("m4a", 48_000, 2), ("opus", 48_000, 1)]


@pytest.fixture(scope="module")
def before() -> Composition:
    return compose(prompt="pop in D minor, 95 bpm", lyrics=LYRICS, seed=3, duration_seconds=BEFORE)


def track_of(
    song: Composition, audio_format: AudioFormat = "wav", rate: int = 44_100, channels: int = 2, gain: float = 1.0
) -> SourceTrack:
    samples = Samples(song.samples * np.float32(gain), song.sample_rate)
    audio = encode(samples, audio_format, sample_rate=rate, channels=channels)
    return SourceTrack(
        audio=audio, format=audio_format, duration_ms=round(BEFORE * 1000), sample_rate=rate, channels=channels
    )


def kept_samples(track: SourceTrack) -> Samples:
    if track.format != "pcm":
        return decode(track.audio)
    assert track.channels is not None
    assert track.sample_rate is not None
    table = np.frombuffer(track.audio, "<i2").reshape(-1, track.channels)
    return Samples(table.astype(np.float32) / np.float32(32_768), track.sample_rate)


async def continued(track: SourceTrack, at_ms: int, line: Told | None = None, **order: Any) -> Delivery:
    song = replace(SONG, extend=Extend(track="t", at_ms=at_ms), **order)
    return await Rehearsal().make(song, access(Shelf(t=track)), line or Told())


@pytest.mark.parametrize(("audio_format", "rate", "channels"), SHAPES)
@pytest.mark.parametrize("at_ms", [8_000, 14_321, 24_000])
async def test_samples_before_the_point_are_unchanged(
    before: Composition, audio_format: AudioFormat, rate: int, channels: int, at_ms: int
) -> None:
    track = track_of(before, audio_format, rate, channels)
    source = kept_samples(track)

    take = (await continued(track, at_ms)).takes[0]

    song, point = decode(take.audio), round(at_ms * rate / 1000)
    assert (song.sample_rate, song.channels) == (rate, channels)
    assert np.array_equal(song.values[:point], source.values[:point])
    assert song.frames > point + 29 * rate
    judge(song)


@pytest.mark.parametrize(("audio_format", "rate", "channels"), LOSSY)
async def test_lossy_song_is_kept_to_half_a_step_of_sixteen_bits(
    before: Composition, audio_format: AudioFormat, rate: int, channels: int
) -> None:
    track = track_of(before, audio_format, rate, channels)
    source = kept_samples(track)

    song = decode((await continued(track, 12_000)).takes[0].audio)

    point = 12 * rate
    assert np.abs(song.values[:point] - source.values[:point]).max() <= 0.5 / 32_768


async def test_finer_samples_than_sixteen_bits_are_kept_as_they_are(before: Composition) -> None:
    fine = before.samples * np.float32(0.5)
    track = SourceTrack(audio=wav_file(fine, 44_100), format="wav", duration_ms=24_000)

    song = decode((await continued(track, 9_000)).takes[0].audio)

    assert np.array_equal(song.values[: 9 * 44_100], fine[: 9 * 44_100])


async def test_point_beyond_the_end_is_the_end(before: Composition) -> None:
    track = track_of(before)

    late, at_end = [(await continued(track, at_ms)).takes[0] for at_ms in (420_000, 24_000)]

    assert late == at_end
    assert late.sections[0].start == 24_000


@pytest.mark.parametrize(("audio_format", "rate", "channels"), [("wav", 44_100, 2), ("flac", 48_000, 1)])
@pytest.mark.parametrize("at_ms", [8_000, 11_111, 13_370, 17_777, 23_990, 24_000])
async def test_join_does_not_click(
    before: Composition, audio_format: AudioFormat, rate: int, channels: int, at_ms: int
) -> None:
    track = track_of(before, audio_format, rate, channels)

    song = decode((await continued(track, at_ms)).takes[0].audio).values

    point = round(at_ms * rate / 1000)
    steps = np.abs(np.diff(song, axis=0)).max(axis=1)
    at_join = steps[point - 2 : point + rate // 1000].max()
    around = np.concatenate([steps[point - rate // 2 : point - rate // 100], steps[point + rate // 100 : point + rate]])
    assert at_join <= around.max()
    # Nor is there a hole: 100 ms of silence in the half second after the point.
    if at_ms < 20_000:
        loud = np.abs(song[point : point + rate // 2]).reshape(5, -1).max(axis=1)
        assert loud.min() > 0.01


@pytest.mark.parametrize("prompt", ["pop in D minor, 95 bpm", "folk in Ab major, 128 bpm", "soul in G minor, 76 bpm"])
async def test_continuation_has_tempo_and_key_of_the_song_whatever_the_prompt_names(prompt: str) -> None:
    song = compose(prompt=prompt, lyrics=LYRICS, seed=3, duration_seconds=BEFORE)

    whole = decode((await continued(track_of(song), 20_000)).takes[0].audio).values

    new = whole[20 * 44_100 :]
    assert tempo_of(pulse_of(new, 44_100)) == pytest.approx(song.tempo_bpm, rel=0.01)
    assert key_of(new, 44_100) == HeardKey(PITCH_NAMES.index(song.key), song.mode)


@pytest.mark.parametrize("at_ms", [8_000, 14_321, 19_999])
async def test_new_bars_begin_on_a_beat_of_the_song(before: Composition, at_ms: int) -> None:
    beat = 60 / before.tempo_bpm

    sections = (await continued(track_of(before), at_ms)).takes[0].sections

    late = (sections[1].start / 1000 + beat / 2) % beat - beat / 2
    assert abs(late) <= 0.03


@pytest.mark.parametrize(("gain", "channels"), [(1.0, 2), (0.3, 2), (0.1, 1), (1.0, 1)])
async def test_continuation_is_as_loud_as_the_song(before: Composition, gain: float, channels: int) -> None:
    track = track_of(before, "wav", 44_100, channels, gain)

    song = decode((await continued(track, 20_000)).takes[0].audio)

    old, new = (Samples(part, 44_100) for part in np.split(song.values, [20 * 44_100]))
    assert integrated_loudness_lufs(new) == pytest.approx(integrated_loudness_lufs(old), abs=1.0)


async def test_sections_are_those_of_the_new_part_where_they_are_sung(before: Composition) -> None:
    delivery = await continued(track_of(before), 14_321)

    sections = delivery.takes[0].sections
    assert [section.section_type for section in sections] == ["verse", "chorus"]
    assert delivery.lyrics == NEW_LYRICS
    assert sections[0].start == 14_321
    assert all(one.end == two.start for one, two in pairwise(sections))
    length_ms = round(1000 * decode(delivery.takes[0].audio).duration_seconds)
    assert abs(sections[-1].end - length_ms) <= 1
    for section in sections:
        for line in section.lines:
            assert section.start <= line.start == line.words[0].start
            assert line.words[-1].end == line.end <= section.end


async def test_text_without_tags_needs_no_second_opening(before: Composition) -> None:
    delivery = await continued(track_of(before), 10_000, lyrics="Evening comes along\n\nStars are in the sky")

    assert [section.section_type for section in delivery.takes[0].sections] == ["verse", "chorus", "outro"]


async def test_ordered_length_is_that_of_the_whole_song(before: Composition) -> None:
    delivery = await continued(track_of(before), 10_000, duration_seconds=33.0)

    assert decode(delivery.takes[0].audio).duration_seconds == pytest.approx(33.0, abs=0.01)


async def test_length_that_leaves_nothing_to_compose_is_refused(before: Composition) -> None:
    with pytest.raises(ProviderError) as told:
        await continued(track_of(before), 10_000, duration_seconds=10.5)

    assert (told.value.code, told.value.param, told.value.seen) == ("invalid_parameter", "duration_seconds", "not_made")


async def test_takes_share_the_beginning_and_differ_after_it(before: Composition) -> None:
    takes = (await continued(track_of(before), 10_000, takes=2)).takes

    one, two = (decode(take.audio).values for take in takes)
    point = 10 * 44_100
    assert np.array_equal(one[:point], two[:point])
    assert not np.array_equal(one[point : point + 44_100], two[point : point + 44_100])


async def test_same_order_gives_the_same_song(before: Composition) -> None:
    track = track_of(before)

    assert await continued(track, 10_000) == await continued(track, 10_000)


async def test_upload_is_continued_as_a_track_is(before: Composition) -> None:
    track = track_of(before)
    upload = SourceFile(audio=track.audio, format="wav", file_name="x", purpose="audio", duration_ms=24_000)
    song = replace(SONG, extend=Extend(upload="u", at_ms=10_000))

    delivery = await Rehearsal().make(song, access(Shelf(u=upload)), Told())

    assert delivery == await continued(track, 10_000)


async def test_song_without_beat_and_key_is_continued_all_the_same() -> None:
    hiss = np.random.default_rng(2).normal(0, 0.05, (10 * 44_100, 2)).astype(np.float32)
    track = SourceTrack(audio=wav_file(hiss, 44_100), format="wav", duration_ms=10_000)

    song = decode((await continued(track, 8_000)).takes[0].audio)

    assert np.array_equal(song.values[: 8 * 44_100], hiss[: 8 * 44_100])
    judge(song)


async def test_bad_audio_on_request_is_refused_by_the_gate_and_spares_the_source(before: Composition) -> None:
    track = track_of(before)

    bad = decode((await continued(track, 10_000, prompt="fail:bad_audio pop")).takes[0].audio)

    assert not bad.values[:, 1].any()
    assert decode(track.audio).values[:, 1].any()


# --- Pieces -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rate", "channels"), [(44_100, 2), (32_000, 1)])
async def test_pieces_of_each_take_are_the_take(before: Composition, rate: int, channels: int) -> None:
    line = Told()

    delivery = await continued(track_of(before, "wav", rate, channels), 9_500, line, takes=2, partial_audio=True)

    for number, take in enumerate(delivery.takes):
        pieces = [piece for piece in line.pieces if piece.take == number]
        assert [piece.part for piece in pieces] == list(range(len(pieces)))
        assert {(piece.format, piece.sample_rate, piece.channels) for piece in pieces} == {("pcm", rate, channels)}
        assert {len(piece.data) for piece in pieces[:-1]} == {2 * rate * channels}
        assert b"".join(piece.data for piece in pieces) == take.audio[44:]


async def test_pieces_come_only_where_they_are_asked_for(before: Composition) -> None:
    line = Told()

    await continued(track_of(before), 9_500, line)

    assert line.pieces == []


async def test_pieces_of_fine_samples_have_sixteen_bits(before: Composition) -> None:
    line = Told()
    track = SourceTrack(audio=wav_file(before.samples, 44_100), format="wav", duration_ms=24_000)

    delivery = await continued(track, 9_000, line, partial_audio=True)

    heard = np.frombuffer(b"".join(piece.data for piece in line.pieces), "<i2").reshape(-1, 2) / 32_767
    assert np.abs(heard - decode(delivery.takes[0].audio).values).max() <= 0.51 / 32_767
