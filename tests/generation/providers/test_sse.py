from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from generation.providers.sse import events


async def given(chunks: list[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def read(*chunks: bytes, longest_line: int = 100) -> list[str]:
    return [data async for data in events(given(list(chunks)), longest_line=longest_line)]


@pytest.mark.parametrize(
    ("stream", "data"),
    [
        (b"data: one\n\ndata: two\n\n", ["one", "two"]),
        (b"data:one\r\n\r\ndata:  two\r\n\r\n", ["one", " two"]),
        (b": ping\n\nevent: x\nid: 7\nretry: 5\ndata: one\n\n: ping\n", ["one"]),
        (b"data: one\ndata: two\n\n", ["one\ntwo"]),
        (b"\xef\xbb\xbfdata: \xc3\xa9\n\n", ["é"]),
        (b"data: one\n\ndata: left open", ["one", "left open"]),
        (b"data: left open\n", ["left open"]),
        (b"data: \xff\n\n", ["�"]),
        (b"data\n\n", [""]),
        (b"database: no\nmore\n\n", []),
        (b"\n\n\n", []),
        (b"", []),
    ],
)
async def test_stream_holds_the_events(stream: bytes, data: list[str]) -> None:
    assert await read(stream) == data
    assert await read(*(stream[at : at + 1] for at in range(len(stream)))) == data


@pytest.mark.parametrize("stream", [b"data: " + b"x" * 95 + b"\n\n", b"data: " + b"x" * 95, b": " + b"x" * 99 + b"\n"])
async def test_line_that_is_too_long_is_not_held(stream: bytes) -> None:
    with pytest.raises(OverflowError):
        await read(stream)
    with pytest.raises(OverflowError):
        await read(*(stream[at : at + 1] for at in range(len(stream))))


async def test_line_of_the_greatest_length_is_held() -> None:
    assert await read(b"data: " + b"x" * 94 + b"\n\n") == ["x" * 94]


async def test_event_of_many_lines_that_is_too_long_is_not_held() -> None:
    with pytest.raises(OverflowError):
        await read(*[b"data: " + b"x" * 30 + b"\n"] * 4)
