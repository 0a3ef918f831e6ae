"""What is sent to every vendor in its own spelling: structure tags in lyrics, and the name of the order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest

from generation.models import Attempt
from tests.contracts.providers.conftest import Standin, live_through
from tests.contracts.providers.upstreams import at_upstream
from tests.generation.worlds import World, submitted

WRITTEN: Final = "【VERSE 2】\n【夜】 sleeps\n[pre-chorus]\nla\n[ hook ]\nlo\n[x2]"
MINIMAX: Final = "[Verse 2]\n【夜】 sleeps\n[Pre Chorus]\nla\n[Hook]\nlo\n[x2]"
MUREKA: Final = "[Verse 2]\n【夜】 sleeps\n[Pre-Chorus]\nla\n[Chorus]\nlo\n[x2]"
LYRIA: Final = "a song\n\n[Verse 2]\n【夜】 sleeps\n[Pre-Chorus]\nla\n[Hook]\nlo\n[x2]"

Body = Mapping[str, Any]
LYRICS_IN: Final[dict[str, Callable[[Body], str]]] = {
    "minimax": lambda body: body["lyrics"],
    "lyria/endpoint": lambda body: body["contents"][0]["parts"][0]["text"],
    "lyria/endpoint_chat": lambda body: body["messages"][0]["content"],
    "mureka": lambda body: body["lyrics"],
    "mureka/official": lambda body: body["lyrics"],
}
SPELLED: Final = {"minimax": MINIMAX, "lyria": LYRIA, "mureka": MUREKA}


def at(house: World, standin_of: Callable[[str], Standin], wire: str) -> Standin:
    provider, _, shape = wire.partition("/")
    standin = standin_of(provider)
    at_upstream(house, standin, "good", provider=provider, shape=shape, endpoint="corner")
    return standin


@pytest.mark.parametrize("wire", LYRICS_IN)
def test_tags_are_spelled_as_the_vendor_spells_them(
    house: World, standin_of: Callable[[str], Standin], wire: str
) -> None:
    standin = at(house, standin_of, wire)

    live_through(submitted(house, prompt="a song", lyrics=WRITTEN))

    [order] = standin.record["orders"]
    assert LYRICS_IN[wire](order["body"]) == SPELLED[wire.partition("/")[0]]


@pytest.mark.parametrize("wire", LYRICS_IN)
def test_order_is_named_so_that_a_tutti_knows_it_again(
    house: World, standin_of: Callable[[str], Standin], wire: str
) -> None:
    standin = at(house, standin_of, wire)

    job = submitted(house, prompt="a song", lyrics="[Verse]\nla")
    live_through(job)

    [order] = standin.record["orders"]
    assert order["headers"]["idempotency-key"] == str(Attempt.unscoped.get(job=job).reference)


@pytest.mark.parametrize("wire", [wire for wire in LYRICS_IN if not wire.startswith("mureka")])
def test_takes_that_are_ordered_side_by_side_have_names_of_their_own(
    house: World, standin_of: Callable[[str], Standin], wire: str
) -> None:
    standin = at(house, standin_of, wire)

    job = submitted(house, prompt="a song", lyrics="[Verse]\nla", takes=2)
    live_through(job)

    reference = Attempt.unscoped.get(job=job).reference
    keys = {order["headers"]["idempotency-key"] for order in standin.record["orders"]}
    assert keys == {f"{reference}-0", f"{reference}-1"}
