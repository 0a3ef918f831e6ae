from __future__ import annotations

import pytest

from generation.providers.rehearsal.melody import Contour, syllable_places


@pytest.mark.parametrize(
    ("count", "beats", "places"),
    [
        (1, 8.0, [0.0]),
        (5, 8.0, [0.0, 1.0, 2.0, 3.0, 4.0]),
        (9, 8.0, [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0]),
        (3, 2.0, [0.0, 0.5, 1.0]),
    ],
)
def test_syllables_take_the_beat_first(count: int, beats: float, places: list[float]) -> None:
    assert syllable_places(count, beats) == places


@pytest.mark.parametrize("count", [1, 7, 8, 20, 40, 400])
@pytest.mark.parametrize("beats", [0.5, 1.0, 4.0, 8.0])
def test_syllables_rise_inside_their_window(count: int, beats: float) -> None:
    places = syllable_places(count, beats)

    assert len(places) == count
    assert places == sorted(set(places))
    assert places[0] == 0.0
    assert places[-1] < beats


def test_a_contour_is_remembered() -> None:
    first, again = (Contour("7:verse", 1.0) for _ in range(2))

    assert [first.height(0, place) for place in range(16)] == [again.height(0, place) for place in range(16)]


def test_adventure_widens_the_steps() -> None:
    def reach(adventure: float) -> float:
        contours = [Contour(str(seed), adventure) for seed in range(30)]
        return sum(
            abs(contour.height(0, place + 1) - contour.height(0, place)) for contour in contours for place in range(15)
        )

    assert reach(0.0) < reach(1.0) < reach(2.0)
