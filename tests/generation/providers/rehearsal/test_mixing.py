from __future__ import annotations

import numpy as np
import pytest

from generation.providers.rehearsal.mixing import RELEASE_FRAMES, lay, reverberate


def test_a_cut_sound_is_released_without_a_step() -> None:
    lane, held = np.zeros(44_100, np.float32), np.ones(40_000, np.float32)

    lay(lane, 100, held, 0.5, 10_000)

    assert lane[99:102].tolist() == [0.0, 0.5, 0.5]
    assert lane[10_099] == 0.5
    assert np.abs(np.diff(lane[10_099 : 10_200 + RELEASE_FRAMES])).max() < 0.001
    assert not lane[10_100 + RELEASE_FRAMES :].any()


@pytest.mark.parametrize(("start", "frames"), [(900, None), (999, 5), (1000, None), (5000, 10), (0, 0)])
def test_a_sound_beyond_the_lane_is_left_out(start: int, frames: int | None) -> None:
    lane = np.zeros(1000, np.float32)

    lay(lane, start, np.ones(400, np.float32), 1.0, frames)

    assert lane[start : start + 400].all()
    assert not lane[:start].any()


def test_sounds_in_a_lane_add_up() -> None:
    lane = np.zeros(10, np.float32)

    lay(lane, 0, np.ones(10, np.float32), 0.25)
    lay(lane, 5, np.ones(10, np.float32), 0.5)

    assert lane.tolist() == [0.25] * 5 + [0.75] * 5


def test_the_room_answers_later_on_both_sides_and_dies_away() -> None:
    send = np.zeros(60_000, np.float32)
    send[1000:1002] = 1.0

    wet = reverberate(send)

    assert wet.shape == (2, 60_000)
    assert np.abs(wet[:, :1000]).max() < 1e-3
    early, late = (np.sqrt(np.mean(wet[:, at : at + 4000] ** 2, axis=1)) for at in (2000, 26_000))
    assert (early > 10 * late).all()
    assert abs(np.corrcoef(wet[0, 1000:20_000], wet[1, 1000:20_000])[0, 1]) < 0.3


def test_the_room_does_not_depend_on_where_its_blocks_lie() -> None:
    send = np.random.default_rng(3).standard_normal(80_000).astype(np.float32)

    shifted = reverberate(np.concatenate([np.zeros(2000, np.float32), send]))[:, 2000:]

    assert np.allclose(shifted, reverberate(send), atol=1e-4)
