from __future__ import annotations

import numpy as np
import pytest

from generation.providers.rehearsal.instruments import PADS, TIMBRES, note_sound, pad_sound
from generation.providers.rehearsal.percussion import DRUMS, hit_sound
from generation.providers.rehearsal.sounds import Shelf
from generation.providers.rehearsal.voice import FORMANTS, vowel_sound


def test_a_sound_is_rendered_once() -> None:
    calls: list[int] = []
    shelf = Shelf(1000)

    def render() -> np.ndarray:
        calls.append(1)
        return np.zeros(10, np.float32)

    first, second = shelf.take("a", render), shelf.take("a", render)

    assert (len(calls), first is second, first.flags.writeable) == (1, True, False)


def test_the_shelf_keeps_to_its_bytes_and_drops_the_longest_unused() -> None:
    shelf = Shelf(100)
    for key in ("a", "b"):
        shelf.take(key, lambda: np.zeros(10, np.float32))
    shelf.take("a", lambda: np.ones(10, np.float32))
    shelf.take("c", lambda: np.zeros(10, np.float32))

    assert shelf.held_bytes == 80
    assert shelf.take("a", lambda: np.ones(10, np.float32)).sum() == 0
    assert shelf.take("b", lambda: np.ones(10, np.float32)).sum() == 10


@pytest.mark.parametrize("drum", DRUMS)
def test_every_drum_begins_and_ends_in_silence(drum: str) -> None:
    sound = hit_sound(drum)

    assert np.abs(sound).max() == pytest.approx(1.0)
    assert (sound[0], sound[-1]) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("drum", "low_hz", "high_hz"),
    [("kick", 40, 150), ("snare", 150, 7000), ("hat", 5000, 13_000), ("low tom", 80, 250)],
)
def test_drums_live_in_their_own_register(drum: str, low_hz: int, high_hz: int) -> None:
    power = np.abs(np.fft.rfft(hit_sound(drum), 44_100)) ** 2  # one bin is one hertz

    assert power[low_hz:high_hz].sum() > 0.8 * power.sum()


@pytest.mark.parametrize("instrument", TIMBRES)
def test_every_instrument_sounds_the_pitch_it_is_asked_for(instrument: str) -> None:
    sound = note_sound(instrument, 57)[:44_100]

    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    near = slice(205, 236)  # one bin is one hertz; A3 is 220

    assert 217 <= 205 + int(np.argmax(spectrum[near])) <= 223
    assert spectrum[near].max() > 20 * np.median(spectrum[100:1000])


@pytest.mark.parametrize("pad", PADS)
def test_every_pad_is_a_loop_without_a_seam(pad: str) -> None:
    loop = pad_sound(pad, (60, 64, 67))

    assert np.abs(loop[:, 0] - loop[:, -1]).max() <= np.abs(np.diff(loop, axis=1)).max()
    assert np.sqrt(np.mean(loop**2)) == pytest.approx(0.25, rel=1e-3)


def test_vowels_differ_by_their_formants() -> None:
    def share(vowel: str, low_hz: int, high_hz: int) -> float:
        spectrum = np.abs(np.fft.rfft(vowel_sound(vowel, 57, 0.5)[4410:]))
        hertz = np.fft.rfftfreq(len(vowel_sound(vowel, 57, 0.5)) - 4410, 1 / 44_100)
        return float(spectrum[(hertz > low_hz) & (hertz < high_hz)].sum() / spectrum.sum())

    assert max("aeiou", key=lambda vowel: share(vowel, 2200, 2550)) == "i"
    assert max("aeiou", key=lambda vowel: share(vowel, 1100, 1400)) == "a"
    assert set("aeiou") <= set(FORMANTS)
