from __future__ import annotations

import io
import struct

import av
import numpy as np
import pytest

from generation.audio.bad_audio import BadAudio
from generation.audio.decode import decode, probe
from generation.audio.encode import encode
from generation.audio.growing import GROWING, GrowingTake, growing_format, joined, rest_of
from generation.audio.prepare import Wanted
from generation.audio.samples import Samples
from generation.audio.wav_heads import Shape, open_head
from generation.contract import AudioFormat, Piece
from tests.generation.previews import RATE, grown, pcm, pcm_piece
from tests.generation.worlds import wav

STEREO = Shape(RATE, 2)


def song_mp3(seconds: float = 3.0, *, bitrate: int = 256_000) -> bytes:
    tone = np.frombuffer(pcm(seconds), dtype="<i2").reshape(-1, 2).astype(np.float32) / np.float32(32_768)
    return encode(Samples(tone, RATE), "mp3", bitrate=bitrate, tags={"title": "T" * 3000})


def piece_of(data: bytes, audio_format: AudioFormat, *, part: int = 0) -> Piece:
    return Piece(take=0, part=part, data=data, format=audio_format, sample_rate=RATE, channels=2)


@pytest.mark.parametrize(
    ("ordered", "heard_as"),
    [(None, "mp3"), ("mp3", "mp3"), ("wav", "wav"), ("pcm", "pcm"), ("flac", "mp3"), ("opus", "mp3"), ("m4a", "mp3")],
)
def test_song_is_heard_in_the_ordered_format_where_that_grows(ordered: AudioFormat | None, heard_as: str) -> None:
    assert growing_format(ordered) == heard_as


@pytest.mark.parametrize("audio_format", GROWING)
def test_samples_become_a_stream_of_the_ordered_shape(audio_format: AudioFormat) -> None:
    take = GrowingTake(Wanted(format=audio_format, sample_rate=32_000, bitrate=64_000, channels=1))
    added = [take.add(pcm_piece(1.0, part=part)) for part in range(3)]
    parts = [*(one.data for one in added), take.end().data]

    found = probe(joined(parts, audio_format, take.shape))

    assert take.shape == Shape(32_000, 1)
    assert (found.sample_rate, found.channels) == (32_000, 1)
    assert sum(one.seconds for one in added) == 3.0
    assert abs(found.duration_ms - 3000) <= 60  # an MP3 has its encoder's delay in front
    assert all(one.data for one in added)


def test_samples_that_are_as_ordered_stay_as_they_are_wherever_pieces_are_cut() -> None:
    whole = pcm(2.0)
    pieces = [piece_of(whole[start : start + 10_001], "pcm") for start in range(0, len(whole), 10_001)]

    assert b"".join(grown(*pieces, audio_format="pcm")) == whole


def test_a_growing_wav_begins_with_a_head_of_open_length_and_plays() -> None:
    stream = b"".join(grown(pcm_piece(1.0), pcm_piece(1.0), audio_format="wav"))

    assert stream == open_head(STEREO) + 2 * pcm(1.0)
    assert struct.unpack("<I", stream[4:8]) == (0xFFFF_FFFF,)
    with av.open(io.BytesIO(stream), "r") as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) == 2 * RATE


@pytest.mark.parametrize("size", [7, 40, 44, 1_000, 100_000])
def test_the_head_of_a_wav_is_no_sound_however_it_is_cut(size: int) -> None:
    file = wav(1.0)
    pieces = [piece_of(file[start : start + size], "wav") for start in range(0, len(file), size)]

    assert b"".join(grown(*pieces, audio_format="pcm")) == file[44:]


def test_a_wav_whose_samples_never_begin_is_bad_audio() -> None:
    take = GrowingTake(Wanted(format="pcm"))
    with pytest.raises(BadAudio):
        take.add(piece_of(b"RIFF" + bytes(70_000), "wav"))


def test_mp3_that_is_as_ordered_passes_untouched() -> None:
    frames = b"".join(grown(pcm_piece(2.0)))
    take = GrowingTake(Wanted(format="mp3", sample_rate=RATE, bitrate=256_000, channels=2))

    added = take.add(piece_of(frames, "mp3"))

    assert (added.data, take.end().data) == (frames, b"")
    assert added.seconds == pytest.approx(2.04, abs=0.02)


@pytest.mark.parametrize(
    "wanted",
    [Wanted(format="mp3", bitrate=64_000), Wanted(format="mp3", sample_rate=32_000), Wanted(format="mp3", channels=1)],
)
def test_mp3_that_is_not_as_ordered_is_encoded_anew(wanted: Wanted) -> None:
    take = GrowingTake(wanted)
    stream = take.add(piece_of(b"".join(grown(pcm_piece(2.0))), "mp3")).data + take.end().data

    found = probe(stream)

    assert (found.sample_rate, found.channels) == (wanted.sample_rate or RATE, wanted.channels or 2)
    assert abs(found.bitrate - (wanted.bitrate or 256_000)) <= 1000
    assert abs(found.duration_ms - 2040) <= 100


def test_mp3_becomes_samples_of_the_same_sound() -> None:
    frames = b"".join(grown(pcm_piece(2.0)))
    take = GrowingTake(Wanted(format="pcm"))
    half = 417 * 40

    stream = (
        take.add(piece_of(frames[:half], "mp3")).data + take.add(piece_of(frames[half:], "mp3")).data + take.end().data
    )

    heard = np.frombuffer(stream, dtype="<i2").reshape(-1, 2).astype(np.float32) / 32_768
    assert np.abs(heard - decode(frames).values[: len(heard)]).max() < 1e-3
    assert len(heard) / RATE == pytest.approx(2.04, abs=0.03)


@pytest.mark.parametrize("audio_format", ["flac", "opus", "m4a"])
def test_what_cannot_be_cut_anywhere_is_bad_audio(audio_format: AudioFormat) -> None:
    with pytest.raises(BadAudio):
        GrowingTake(Wanted()).add(piece_of(b"fLaC", audio_format))


def test_the_shape_of_nothing_is_not_known() -> None:
    take = GrowingTake(Wanted())

    assert take.end() == (b"", 0.0)
    with pytest.raises(LookupError):
        _ = take.shape


def test_the_rest_of_an_mp3_goes_on_where_the_stream_has_come_to() -> None:
    whole = song_mp3(3.0)

    rest = rest_of(whole, "mp3", STEREO, after_seconds=2.0)

    assert whole.endswith(rest)
    assert abs(probe(rest).duration_ms - 1040) <= 60


@pytest.mark.parametrize(("audio_format", "head"), [("wav", 44), ("pcm", 0)])
def test_the_rest_of_samples_goes_on_at_the_sample(audio_format: AudioFormat, head: int) -> None:
    file = wav(3.0)[44 - head :]

    assert rest_of(file, audio_format, STEREO, after_seconds=2.0) == file[head + 2 * RATE * 4 :]


def test_what_does_not_grow_has_no_rest() -> None:
    assert rest_of(b"fLaC", "flac", STEREO, after_seconds=1.0) == b""


def test_an_mp3_without_frames_has_no_rest() -> None:
    with pytest.raises(BadAudio):
        rest_of(b"no frames", "mp3", STEREO, after_seconds=0.0)
