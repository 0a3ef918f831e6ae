"""Whatever object a caller sends, a dialect reads an order or refuses: nothing else comes of it, and soon."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from generation.contract import Order, Refusal
from generation.dialects.base import CAUSES, Refused
from generation.dialects.registry import DIALECTS
from generation.dialects.vocabulary import VOCABULARY
from tests.contracts.dialects.test_golden_pairs import CASES

LONGEST_SECONDS = 1.0
MOST_EXAMPLES = 150

PATHS: dict[str, list[dict[str, str]]] = {
    "lyria": [{}, {"endpoint": "corner"}, {"endpoint": "corner", "model": "m"}, {"model": "m"}],
    "chat": [{}, {"endpoint": "corner"}],
    "mureka": [{"call": call, "endpoint": "corner"} for call in ("song/generate", "song/extend")],
    "mureka_official": [{"call": call} for call in ("song/generate", "song/extend", "instrumental/generate")],
}
"""What the addresses of a wire say; of the others they say nothing."""


def names_of(value: Any) -> set[str]:
    """Every name in a body, however deep."""
    if isinstance(value, dict):
        return set(value).union(*map(names_of, value.values()))
    return set().union(*map(names_of, value)) if isinstance(value, list) else set()


REQUESTS = [json.loads(path.read_text()) for path in CASES]
BODIES = {
    slug: [request["body"] for path, request in zip(CASES, REQUESTS, strict=True) if path.parent.name == slug]
    for slug in DIALECTS
}
NAMES = sorted({*VOCABULARY, *names_of([request["body"] for request in REQUESTS])})

TEXTS = st.one_of(
    st.text(st.characters(), max_size=30),
    st.sampled_from(["", " ", "\x00", "\ud800", "NaN", "1", "-0", "true", "9" * 400, "x" * 20_000, "[" * 5000]),
    st.sampled_from(
        ["[Verse]\nla", "[verse 1", "【副歌】啦", "[Chorus]" * 500, "\u202e[Inst]\n\u0301" * 50, "user", "mp3", "auto"]
    ),
)
NUMBERS = st.one_of(
    st.integers(),
    st.sampled_from([0, -1, 1, 2, 3, 30, 8000, 2**31, 2**63, 2**64, 10**400, -(10**400)]),
    # 1e999 is a number of JSON, and infinity to us.
    st.floats(allow_nan=False, allow_infinity=True),
)
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
VALUES: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | TEXTS, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.sampled_from(NAMES) | TEXTS, VALUES, max_size=8)


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [{"parts": value}]
    return value


@st.composite
def bodies(draw: st.DrawFn, slug: str) -> dict[str, Any]:
    """A documented body with some of it exchanged, or any object at all."""
    body = dict(draw(st.sampled_from(BODIES[slug])))
    for name in draw(st.lists(st.sampled_from(sorted(body) or NAMES), max_size=2)):
        body.pop(name, None)
    return {**body, **draw(OBJECTS)} if draw(st.booleans()) else {**draw(OBJECTS), **draw(st.just(body))}


@pytest.mark.parametrize("slug", DIALECTS)
@settings(
    max_examples=MOST_EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
@example(data=None)
@given(data=st.data())
def test_any_object_is_an_order_or_refused(slug: str, data: st.DataObject | None) -> None:
    body = {name: nested(400) for name in NAMES} if data is None else data.draw(bodies(slug))

    for path in PATHS.get(slug, [{}]):
        begun = time.process_time()
        told = read(slug, body, path)

        assert time.process_time() - begun < LONGEST_SECONDS
        assert told is None or told in CAUSES


def read(slug: str, body: dict[str, Any], path: dict[str, str]) -> str | None:
    """The code of a refusal, which its wire can word; None for an order, which can be kept."""
    try:
        order = DIALECTS[slug].parse(body, path)
    except Refusal as refusal:
        refused = Refused(code=refusal.code, message=refusal.message, param=refusal.param, request_id="req_1")
        json.dumps(DIALECTS[slug].refused(refused).body, ensure_ascii=False, allow_nan=False)
        return refusal.code
    assert isinstance(order, Order)
    said = [order.song.as_json(), order.text and order.text.as_json(), dict(order.wire), order.model, order.transno]
    kept = json.dumps(said, ensure_ascii=False, allow_nan=False)
    # What a database cannot keep: NUL, and halves of characters.
    assert "\\u0000" not in kept
    kept.encode()
    return None
