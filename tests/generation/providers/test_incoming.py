from __future__ import annotations

import pytest

from generation.providers.base import ProviderError
from generation.providers.incoming import opened
from tests.generation.providers.wayside import Said, access


async def heard(*answers: Said | Exception) -> list[bytes]:
    upstream, way = access(*answers)
    async with opened(
        upstream, "POST", "/songs", headers={"X": "1"}, fields={"b": "ü"}, deadline_seconds=7, max_bytes=99
    ) as (incoming, chunks):
        [sent] = way.sent
        assert incoming.status == 200
        assert (sent.method, sent.url, sent.body) == ("POST", "https://up.example/songs", {"b": "ü"})
        assert sent.options == {"connect_seconds": 10, "deadline_seconds": 7, "max_bytes": 99}
        return [chunk async for chunk in chunks]


async def test_answer_is_heard_chunk_by_chunk() -> None:
    assert await heard(Said(pieces=(b"a", b"b"))) == [b"a", b"b"]


@pytest.mark.parametrize(
    ("broken", "seen", "retryable"),
    [
        (PermissionError("not public"), "not_made", False),
        (ConnectionError("nobody"), "not_made", True),
        (EOFError("cut"), "unknown", False),
        (Said(pieces=(b"a",), breaks=EOFError("cut")), "unknown", False),
        (Said(pieces=(b"a",), breaks=OverflowError("long")), "unknown", False),
    ],
)
async def test_broken_answer_means(broken: Said | Exception, seen: str, retryable: bool) -> None:
    with pytest.raises(ProviderError) as failed:
        await heard(broken)

    assert (failed.value.seen, failed.value.retryable) == (seen, retryable)


@pytest.mark.parametrize("ours", [PermissionError("our storage"), ConnectionError("our cache")])
async def test_what_breaks_on_our_side_while_an_answer_comes_is_no_refused_call(ours: Exception) -> None:
    upstream, _ = access(Said(body=b"a"))

    with pytest.raises(type(ours)) as failed:
        async with opened(upstream, "POST", "/", headers={}, fields={}, deadline_seconds=7, max_bytes=99):
            raise ours

    assert failed.value is ours
