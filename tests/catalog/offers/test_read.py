from __future__ import annotations

from datetime import UTC, datetime

import pytest

from catalog.capabilities import Bounds
from catalog.offers.nodes import OfferError
from catalog.offers.read import read_offer

MODEL = """\
owner: tutti
models:
  - name: aria-1
    provider: vendor
    mappings:
      - catalog: music_gen
        upstream: main
        sale_prices: aria
"""
PRICES = """\
owner: tutti
prices:
  aria:
    name: Aria
    rows:
      - unit: song
        credits: 1.50
"""
UPSTREAM = """\
owner: tutti
upstreams:
  main:
    name: Main
    provider: minimax
"""


def fault(text: str) -> str:
    with pytest.raises(OfferError) as caught:
        read_offer(text, file="offer.yaml")
    return str(caught.value)


def test_model_is_read_with_its_defaults() -> None:
    [model] = read_offer(MODEL, file="offer.yaml").models

    [mapping] = model.mappings
    assert (model.name, model.owner, model.upstream_model, model.status) == ("aria-1", "tutti", "aria-1", "published")
    assert (model.name.line, mapping.line, mapping.upstream.line) == (3, 6, 7)
    assert (mapping.operation, mapping.endpoint_slug, mapping.priority, mapping.is_enabled) == (
        "generate",
        None,
        100,
        True,
    )


def test_price_is_read_from_its_digits() -> None:
    text = PRICES.replace("1.50", "0.000001")

    [program] = read_offer(text, file="offer.yaml").programs

    assert [row.amount_micro for row in program.rows] == [1]


def test_price_may_be_dated_and_filtered() -> None:
    text = PRICES + (
        "      - {unit: song, credits: 2, filters: {takes: [2, 3], format: wav},\n"
        "         from: 2030-01-01T00:00:00Z, until: '2031-01-01 00:00:00+00:00'}\n"
    )

    [program] = read_offer(text, file="offer.yaml").programs

    row = program.rows[1]
    assert row.filters == {"format": "wav", "takes": [2, 3]}
    assert (row.begins, row.ends) == (datetime(2030, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC))


def test_thing_may_name_an_owner_of_its_own() -> None:
    text = UPSTREAM.replace("    name: Main\n", "    name: Main\n    owner: resound\n")

    assert [upstream.owner for upstream in read_offer(text, file="offer.yaml").upstreams] == ["resound"]


def test_block_is_used_again_by_its_anchor() -> None:
    text = MODEL.replace("    mappings:\n", "    limits: &short {prompt: [1, 9]}\n    mappings:\n") + (
        "  - {name: aria-2, provider: vendor, limits: *short}\n"
    )

    assert [model.limits.prompt for model in read_offer(text, file="offer.yaml").models] == [Bounds(1, 9)] * 2


def test_every_key_may_be_left_out() -> None:
    offer = read_offer("{}", file="offer.yaml")

    assert (offer.providers, offer.catalogs, offer.upstreams, offer.programs, offer.models) == ((), (), (), (), ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1: the file is empty"),
        ("- a", "1: the file must be a mapping of names to values"),
        ("owner: tutti\nmodels: [", "2: this is not YAML: expected the node content, but found '<stream end>'"),
        ("owner: tutti\n--- \nowner: b", "2: this is not YAML: but found another document"),
        ("owner: tutti\nmodell: []", "2: unknown key 'modell' in the file; known are catalogs, models, owner"),
        ("owner: tutti\nowner: b", "2: 'owner' is there twice"),
        ("owner: 7", "1: owner must be a text; write it in quotes"),
        ("7: tutti", "1: a key of the file must be text; write it in quotes"),
        ("? [a]\n: b", "1: a key of the file must be text; write it in quotes"),
        ("catalogs:\n  - a", "2: catalogs must be a mapping of names to values"),
        ("models:\n  a: b", "2: models must be a list"),
        ("models:\n  - a", "2: a model must be a mapping of names to values"),
        ("catalogs:\n  lyrics: {nam: Lyrics}", "2: lyrics needs 'name'"),
        ("catalogs:\n  lyrics: {name: Lyrics,\n    nam: x}", "3: unknown key 'nam' in lyrics; known are description"),
    ],
)
def test_file_that_cannot_be_read_is_refused_with_its_line(text: str, message: str) -> None:
    assert fault(text).startswith(f"offer.yaml:{message}")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    provider: vendor\n", "", "3: aria-1 needs 'provider'"),
        ("    provider: vendor\n", "    provider:\n", "4: aria-1 needs 'provider'"),
        ("owner: tutti\n", "", "2: aria-1 needs 'owner', here or at the top of the file"),
        ("    mappings:\n", "    seed: true\n    mappings:\n", "5: unknown key 'seed' in aria-1"),
        ("    mappings:\n", "    status: open\n    mappings:\n", "5: status must be one of draft, published, retired"),
        ("    mappings:\n", "    commercial_use: maybe\n    mappings:\n", "5: commercial_use must be true or false"),
        ("    mappings:\n", "    aliases: x\n    mappings:\n", "5: aliases must be a list of texts"),
        ("    mappings:\n", "    aliases: [x, 7.6]\n    mappings:\n", "5: aliases must be a list of texts"),
        ("    mappings:\n", "    aliases:\n    - x\n    - x\n    mappings:\n", "7: 'x' is there twice in aliases"),
        (
            "    mappings:\n",
            "    sold_from: 2030-01-01\n    mappings:\n",
            "5: sold_from must be a moment with a time zone",
        ),
        ("    mappings:\n", "    sold_from: 2030-13-01T00:00:00Z\n    mappings:\n", "5: sold_from must be a moment"),
        (
            "    mappings:\n",
            "    capabilities:\n      seed: true\n      lyrik: none\n    mappings:\n",
            "7: unknown key 'lyrik'; known are duration",
        ),
        ("    mappings:\n", "    limits:\n      prompt: 3\n    mappings:\n", "6: prompt must be [minimum, maximum]"),
        (
            "    mappings:\n",
            "    limits: {a: 2030-01-01}\n    mappings:\n",
            "5: '2030-01-01' is of a kind no offer uses",
        ),
        ("    mappings:\n", "    limits: &a {a: *a}\n    mappings:\n", "5: this is nested too deeply"),
        ("        upstream: main\n", "        upstream: main\n        weight: -1\n", "8: weight must be at least 0"),
        (
            "        upstream: main\n",
            "        upstream: main\n        weight: 2147483648\n",
            "8: weight must be at most 2147483647",
        ),
        (
            "        upstream: main\n",
            "        upstream: main\n        weight: 1.5\n",
            "8: weight must be a whole number",
        ),
        (
            "        upstream: main\n",
            "        upstream: main\n        weight: 0x10\n",
            "8: '0x10' must be a number in plain",
        ),
        (
            "        upstream: main\n",
            "        upstream: main\n        poll_seconds: 0\n",
            "8: poll_seconds must be above 0",
        ),
        (
            "        upstream: main\n",
            "        upstream: main\n        poll_seconds: .inf\n",
            "8: '.inf' must be a number in",
        ),
        (
            "        sale_prices: aria\n",
            "        sale_prices: aria\n      - {catalog: music_gen, upstream: main, sale_prices: b}\n",
            "9: 'mapping' is there twice",
        ),
        (
            "        sale_prices: aria\n",
            "        sale_prices: aria\n  - {name: aria-1, provider: vendor}\n",
            "9: 'aria-1' is there twice",
        ),
    ],
)
def test_model_that_cannot_be_read_is_refused_with_its_line(old: str, new: str, message: str) -> None:
    assert fault(MODEL.replace(old, new, 1)).startswith(f"offer.yaml:{message}")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("credits: 1.50", "credits: -1", "7: credits must be from 0 to 1000000"),
        ("credits: 1.50", "credits: 0.0000001", "7: credits has more than six decimals"),
        ("credits: 1.50", "credits: '1.50'", "7: credits must be a number"),
        ("credits: 1.50", "credits: 1:30", "7: '1:30' must be a number in plain digits"),
        ("credits: 1.50", "credits: 010", "7: '010' must be a number in plain digits"),
        ("        credits: 1.50\n", "", "6: credits must be a number"),
        ("unit: song", "unit: minute", "6: unit must be one of song, second, request, 1k tokens"),
        ("credits: 1.50", "credits: 1.50\n        price: 2", "8: unknown key 'price' in a price"),
        ("credits: 1.50", "credits: 1.50\n        filters:\n          tempo: 1", "9: unknown filter 'tempo'"),
        (
            "credits: 1.50",
            "credits: 1.50\n        from: 2030-01-02T00:00:00Z\n        until: 2030-01-01T00:00:00Z",
            "9: 'until' must be after 'from'",
        ),
        ("credits: 1.50", "credits: 1.50\n      - {unit: song, credits: 2}", "8: 'song' is there twice"),
        ("    rows:\n      - unit: song\n        credits: 1.50\n", "", "4: aria needs its prices in 'rows'"),
    ],
)
def test_price_that_cannot_be_read_is_refused_with_its_line(old: str, new: str, message: str) -> None:
    assert fault(PRICES.replace(old, new, 1)).startswith(f"offer.yaml:{message}")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("credential: hunter2", "6: credential must be a mapping of names to values"),
        ("credential: {value: hunter2}", "6: credential needs 'env'"),
        ("credential: {env: KEY, value: hunter2}", "6: unknown key 'value' in credential; known are env"),
        ("base_url: ftp://host", "6: base_url must begin with https:// or http://"),
        ("slots: 0", "6: slots must be at least 1"),
        (f"base_url: https://{'x' * 500}", "6: base_url is longer than 500 characters"),
    ],
)
def test_upstream_that_cannot_be_read_is_refused_with_its_line(line: str, message: str) -> None:
    error = fault(UPSTREAM + f"    {line}\n")

    assert error == f"offer.yaml:{message}"
    assert "hunter2" not in error
