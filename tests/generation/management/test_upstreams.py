from __future__ import annotations

import io

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from catalog.models import Circuit, Upstream
from tests.generation.worlds import World, claimed, submitted

pytestmark = pytest.mark.both_databases


def said(*arguments: str) -> list[str]:
    out = io.StringIO()
    call_command("upstreams", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_upstreams_are_shown_with_circuit_failures_and_slots(world: World) -> None:
    claimed(submitted(world))

    assert said() == ["stage, rehearsal, circuit closed, failures 0 of 0, in hand 1 of 2000"]


def test_upstream_is_opened_and_closed_by_hand(world: World) -> None:
    [opened] = said("open", "stage")
    assert opened.startswith(
        "stage, rehearsal, circuit open (by hand), failures 0 of 0, in hand 0 of 2000, next trial "
    )

    assert said("close", "stage") == ["stage, rehearsal, circuit closed, failures 0 of 0, in hand 0 of 2000"]
    assert Circuit.objects.get().opened_until is None


def test_upstream_nobody_knows_is_an_error(world: World) -> None:
    with pytest.raises(CommandError, match="There is no upstream 'nowhere'"):
        said("open", "nowhere")
    with pytest.raises(CommandError, match="Say which upstream to close"):
        said("close")


def test_promise_that_an_upstream_cannot_carry_is_noted(world: World) -> None:
    Upstream.unscoped.update(provider="openai_music")

    assert said()[1:] == [
        f"note: {world.mapping} promises {name}, which its upstream does not carry"
        for name in ("instrumental", "duration", "seed")
    ]
