"""What is read, and what is refused, by the bytes alone."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Callable
from typing import Literal

import av
import numpy as np
import pytest

from generation.audio.bad_audio import BadAudio
from generation.audio.decode import Probe, decode, probe, read
from generation.audio.encode import encode
from generation.audio.id3_tags import with_tags
from generation.audio.samples import Samples
from generation.contract import AudioFormat

TAGGED: tuple[AudioFormat, ...] = ("mp3", "wav", "flac", "opus", "m4a")
INPUTS: tuple[AudioFormat | Literal["aac"], ...] = (*TAGGED, "aac")
NOT_AUDIO = r"This is not audio in a format that is taken: MP3, WAV, FLAC, Ogg \(Opus or Vorbis\), M4A or AAC\."
DAMAGED = "The audio file is damaged: it does not decode to its end."
CUT_SHORT = "The audio file is damaged: it is cut short."


@pytest.mark.parametrize("encoder", ["pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le"])
def test_wav_of_every_depth_decodes_to_full_scale_one(
    tone: Callable[..., Samples], muxed: Callable[..., bytes], encoder: str
) -> None:
    samples = tone(0.5)

    heard = decode(muxed(samples, "wav", encoder))

    assert heard.values.dtype == np.float32
    assert np.abs(heard.values - samples.values).max() < (0.01 if encoder == "pcm_u8" else 1 / 32_767)


def test_raw_aac_stream_is_read(tone: Callable[..., Samples], muxed: Callable[..., bytes]) -> None:
    found = probe(muxed(tone(1), "adts", "aac"))

    assert (found.format, found.codec, found.sample_rate, found.channels) == ("aac", "aac", 44_100, 2)
    assert found.duration_ms == pytest.approx(1_000, abs=60)


def test_vorbis_in_ogg_is_read(tone: Callable[..., Samples], muxed: Callable[..., bytes]) -> None:
    found = probe(muxed(tone(1), "ogg", "vorbis", strict="-2"))

    assert (found.format, found.codec, found.sample_rate, found.channels) == ("vorbis", "vorbis", 44_100, 2)
    assert found.duration_ms == pytest.approx(1_000, abs=60)


def test_24_bit_flac_is_read(tone: Callable[..., Samples]) -> None:
    samples = tone(0.5)
    file = io.BytesIO()
    with av.open(file, "w", format="flac") as container:
        stream = container.add_stream("flac", rate=44_100, layout="stereo")
        stream.codec_context.format = "s32"
        whole = np.round(samples.values.astype(np.float64) * 2**31).astype(np.int32)
        frame = av.AudioFrame.from_ndarray(whole.reshape(1, -1), format="s32", layout="stereo")
        frame.sample_rate = 44_100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))

    assert np.abs(decode(file.getvalue()).values - samples.values).max() < 1e-6


def test_read_gives_probe_and_samples_of_one_pass(tone: Callable[..., Samples]) -> None:
    audio = encode(tone(1), "mp3")

    found, heard = read(audio)

    assert found == probe(audio)
    assert np.array_equal(heard.values, decode(audio).values)


def test_name_of_the_format_comes_from_the_bytes(tone: Callable[..., Samples]) -> None:
    found = probe(with_tags(encode(tone(1), "mp3"), {"title": "song.wav"}))

    assert found == Probe(format="mp3", codec="mp3", sample_rate=44_100, channels=2, bitrate=256_000, duration_ms=1_000)


def test_mp3_with_cover_and_old_tags_is_read(tone: Callable[..., Samples]) -> None:
    picture = b"\x03image/png\0\x03\0\x89PNG\r\n\x1a\n" + bytes(300)
    frame = b"APIC" + struct.pack(">I", len(picture)) + b"\0\0" + picture
    size = len(frame)
    cover = b"ID3\x03\0\0" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + frame
    old = b"TAG" + b"x" * 125

    assert probe(cover + encode(tone(1), "mp3") + old).duration_ms == 1_000


def test_tag_that_is_no_unicode_does_not_spoil_the_audio(tone: Callable[..., Samples]) -> None:
    audio = encode(tone(1), "wav", tags={"title": "Cafe"})

    assert probe(audio.replace(b"Cafe", b"Caf\xe9")).duration_ms == 1_000


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"<!DOCTYPE html><html><body>503 Service Unavailable</body></html>",
        b'{"error": "no song"}',
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"RIFF\x24\0\0\0AVI LIST",
        b"\x1aE\xdf\xa3" + bytes(100),
        b"ID3\x04\0\0\0\0\0\0<html>",
        bytes(1_000),
    ],
)
def test_what_is_no_audio_is_refused(content: bytes) -> None:
    with pytest.raises(BadAudio, match=NOT_AUDIO):
        probe(content)


@pytest.mark.parametrize("head", [b"\xff\xfb", b"fLaC", b"OggS\0\x04", b"RIFF\0\0\0\0WAVE", b"\0\0\0\x18ftypM4A "])
def test_a_right_beginning_alone_is_refused(head: bytes) -> None:
    with pytest.raises(BadAudio, match="The audio file is"):
        probe(head + b"<html>nothing of that kind</html>" * 20)


def test_wav_without_any_sound_is_refused() -> None:
    header = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 2, 44_100, 176_400, 4, 16) + b"data" + bytes(4)

    with pytest.raises(BadAudio, match="The audio file is empty"):
        probe(b"RIFF" + struct.pack("<I", 4 + len(header)) + b"WAVE" + header)


def test_video_in_mpeg_4_is_refused() -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=25, width=64, height=64, pix_fmt="yuv420p")
        container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(stream.encode(None))

    with pytest.raises(BadAudio, match="The file holds no audio"):
        probe(file.getvalue())


def test_codec_outside_the_list_is_refused(tone: Callable[..., Samples], muxed: Callable[..., bytes]) -> None:
    with pytest.raises(BadAudio):
        probe(muxed(tone(0.5), "ipod", "alac"))


def test_more_than_two_channels_are_refused() -> None:
    body = bytes(6 * 2 * 4_410)
    header = (
        b"fmt " + struct.pack("<IHHIIHH", 16, 1, 6, 44_100, 529_200, 12, 16) + b"data" + struct.pack("<I", len(body))
    )

    with pytest.raises(BadAudio, match=r"The audio has 6 channels; only mono and stereo are taken\."):
        probe(b"RIFF" + struct.pack("<I", 4 + len(header) + len(body)) + b"WAVE" + header + body)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_impossible_numbers_are_refused(
    tone: Callable[..., Samples], muxed: Callable[..., bytes], value: float
) -> None:
    samples = tone(0.5)
    samples.values[1_000, 1] = value

    with pytest.raises(BadAudio, match=DAMAGED):
        probe(muxed(samples, "wav", "pcm_f32le"))


@pytest.mark.parametrize("audio_format", TAGGED)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
def test_file_that_is_cut_short_is_refused(
    tone: Callable[..., Samples], audio_format: AudioFormat, share: float
) -> None:
    audio = encode(tone(4), audio_format)

    with pytest.raises(BadAudio, match=f"{DAMAGED}|{CUT_SHORT}"):
        decode(audio[: int(share * len(audio))])


def test_wav_of_unknown_length_is_read_to_its_end(tone: Callable[..., Samples]) -> None:
    audio = bytearray(encode(tone(1), "wav"))
    at = audio.index(b"data") + 4
    audio[4:8] = audio[at : at + 4] = b"\xff" * 4

    assert probe(bytes(audio)).duration_ms == 1_000


def test_audio_longer_than_the_limit_is_refused(tone: Callable[..., Samples]) -> None:
    audio = encode(tone(3), "flac")

    with pytest.raises(BadAudio, match=r"The audio is longer than 2 seconds\."):
        decode(audio, max_duration_seconds=2)


def test_declared_size_of_a_bomb_is_not_believed(tone: Callable[..., Samples]) -> None:
    audio = bytearray(encode(tone(1), "flac"))
    audio[8 + 13 : 8 + 18] = b"\x4f" + b"\xff" * 4  # STREAMINFO: 2**36 - 1 samples

    with pytest.raises(BadAudio, match=DAMAGED):
        decode(bytes(audio))


@pytest.mark.parametrize("at", [20_000, 35_001, 50_002, 70_003])
def test_one_wrong_bit_in_flac_is_seen(song: Callable[..., Samples], at: int) -> None:
    audio = bytearray(encode(song(1), "flac"))
    audio[at] ^= 0x10

    with pytest.raises(BadAudio, match=DAMAGED):
        decode(bytes(audio))


@pytest.mark.parametrize("name", INPUTS)
def test_mutated_file_decodes_or_is_bad_audio(
    tone: Callable[..., Samples], muxed: Callable[..., bytes], name: AudioFormat | Literal["aac"]
) -> None:
    samples = tone(0.3, rate=24_000)
    audio = muxed(samples, "adts", "aac") if name == "aac" else encode(samples, name, bitrate=64_000)
    dice = random.Random(name)
    read_files = 0
    for mutation in range(200):
        mutant = bytearray(audio)
        reach = min(400, len(audio)) if mutation % 2 else len(audio)
        for _ in range(dice.choice((1, 4, 20))):
            mutant[dice.randrange(reach)] = dice.randrange(256)
        try:
            heard = decode(bytes(mutant))
        except BadAudio:
            continue
        read_files += 1
        assert heard.frames > 0
        assert np.isfinite(heard.values).all()
    assert read_files < 200


def test_damage_is_not_told_to_stderr(song: Callable[..., Samples], capfd: pytest.CaptureFixture[str]) -> None:
    audio = bytearray(encode(song(1), "flac"))
    audio[40_000:40_200] = b"\xff" * 200

    with pytest.raises(BadAudio):
        decode(bytes(audio))

    assert capfd.readouterr() == ("", "")
