"""Peak, silence, dead channels and loudness against textbook values."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from generation.audio.loudness import head_shelf, high_pass, integrated_loudness_lufs, k_weighted
from generation.audio.measure import dead_channels, peak_dbfs, silent_share, window_starts
from generation.audio.samples import Samples


def joined(*parts: Samples) -> Samples:
    return Samples(np.concatenate([part.values for part in parts]), parts[0].sample_rate)


def test_peak_is_the_largest_sample_of_either_sign() -> None:
    values = np.array([[0.25, 0.0], [0.0, -0.5]], np.float32)

    assert peak_dbfs(Samples(values, 44_100)) == pytest.approx(-6.0206, abs=1e-4)


def test_peak_of_digital_silence_is_minus_infinity() -> None:
    assert peak_dbfs(Samples(np.zeros((10, 2), np.float32), 44_100)) == -np.inf


@pytest.mark.parametrize("rate", [11_025, 44_100, 48_000])
def test_silent_share_counts_windows_under_the_threshold(tone: Callable[..., Samples], rate: int) -> None:
    half = joined(tone(1, rate=rate, dbfs=-20), tone(3, rate=rate, dbfs=-70))

    assert silent_share(half, -60) == pytest.approx(0.75)
    assert silent_share(half, -80) == 0
    assert silent_share(half, 0) == 1


def test_windows_of_a_rate_that_does_not_divide_do_not_drift() -> None:
    starts = window_starts(11_025 * 60, 11_025, 100)

    assert len(starts) == 600
    assert starts[-1] == 11_025 * 599 // 10


def test_dead_channel_is_named(tone: Callable[..., Samples]) -> None:
    samples = tone(0.5)
    samples.values[:, 0] = 1e-6

    assert dead_channels(samples) == (0,)
    assert dead_channels(tone(0.5)) == ()


def test_k_weighting_at_48_khz_has_the_coefficients_of_the_standard() -> None:
    shelf_b, shelf_a = head_shelf(48_000)
    pass_b, pass_a = high_pass(48_000)

    np.testing.assert_allclose(shelf_b, [1.53512485958697, -2.69169618940638, 1.19839281085285], atol=1e-9)
    np.testing.assert_allclose(shelf_a, [1.0, -1.69065929318241, 0.73248077421585], atol=1e-9)
    np.testing.assert_allclose(pass_b, [1.0, -2.0, 1.0])
    np.testing.assert_allclose(pass_a, [1.0, -1.99004745483398, 0.99007225036621], atol=1e-9)


def test_k_weighting_equals_the_recursion_sample_by_sample() -> None:
    wave = np.random.default_rng(3).standard_normal(30_000).astype(np.float32)
    expected = wave.astype(np.float64)
    for b, a in (head_shelf(8_000), high_pass(8_000)):
        state = [0.0, 0.0]
        filtered = np.empty_like(expected)
        for index, value in enumerate(expected):
            out = b[0] * value + state[0]
            state = [b[1] * value - a[1] * out + state[1], b[2] * value - a[2] * out]
            filtered[index] = out
        expected = filtered

    heard = k_weighted(Samples(np.tile(wave, 3)[:, None], 8_000)).values[: len(wave), 0]

    np.testing.assert_allclose(heard, expected, atol=1e-4)


@pytest.mark.parametrize("rate", [16_000, 24_000, 32_000, 44_100, 48_000, 96_000])
@pytest.mark.parametrize(("channels", "dbfs", "lufs"), [(2, -23.0, -23.0), (2, 0.0, 0.0), (1, 0.0, -3.01)])
def test_loudness_of_a_997_hz_sine(
    tone: Callable[..., Samples], rate: int, channels: int, dbfs: float, lufs: float
) -> None:
    samples = tone(5, 997, rate=rate, channels=channels, dbfs=dbfs)

    assert integrated_loudness_lufs(samples) == pytest.approx(lufs, abs=0.1)


def test_loudness_gates_silence_out(tone: Callable[..., Samples]) -> None:
    samples = joined(tone(10, 997, dbfs=-23), tone(30, 997, dbfs=-75))

    assert integrated_loudness_lufs(samples) == pytest.approx(-23, abs=0.1)


def test_loudness_gates_quiet_passages_relative_to_the_rest(tone: Callable[..., Samples]) -> None:
    # EBU Tech 3341, case 3: 10 s at -36, 60 s at -23, 10 s at -36 dBFS read -23 LUFS; shortened, in proportion.
    samples = joined(tone(5, 1_000, dbfs=-36), tone(30, 1_000, dbfs=-23), tone(5, 1_000, dbfs=-36))

    assert integrated_loudness_lufs(samples) == pytest.approx(-23, abs=0.1)


@pytest.mark.parametrize("seconds", [0.2, 3])
def test_loudness_of_nothing_is_minus_infinity(tone: Callable[..., Samples], seconds: float) -> None:
    assert integrated_loudness_lufs(tone(seconds, 997, dbfs=-75)) == -np.inf
