"""Streams of events as services write them, well and loosely, in chunks of any size."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

import pytest

from generation.providers.sse import events

LONGEST = 100


async def in_chunks(chunks: Sequence[bytes]) -> AsyncGenerator[bytes, None]:
    for chunk in chunks:
        yield chunk


async def read(*chunks: bytes, longest: int = LONGEST) -> list[str]:
    return [data async for data in events(in_chunks(chunks), longest_line=longest)]


WRITTEN = {
    "plainly": (b"data: one\n\ndata: two\n\n", ["one", "two"]),
    "with returns and feeds": (b"data: one\r\n\r\ndata: two\r\n\r\n", ["one", "two"]),
    "with returns alone": (b"data: one\r\rdata: two\r\r", ["one", "two"]),
    "without a space": (b"data:one\n\ndata:  two\n\n", ["one", " two"]),
    "with comments": (b": ping\n\ndata: one\n: ping\n\n:\n\n", ["one"]),
    "with other fields": (b"event: song\nid: 7\nretry: 10\ndata: one\n\n", ["one"]),
    "on several lines": (b'data: {"a":\ndata: 1}\n\n', ['{"a":\n1}']),
    "on several lines with returns and feeds": (b"data: one\r\ndata: two\r\n\r\n", ["one\ntwo"]),
    "with a mark of its bytes": (b"\xef\xbb\xbfdata: one\n\n", ["one"]),
    "without an end": (b"data: one\n\ndata: two", ["one", "two"]),
    "in Chinese": ("data: 错误\n\n".encode(), ["错误"]),
    "in no known letters": (b"data: \xff\n\n", ["\ufffd"]),
    "with a field that only begins so": (b"database: one\n\n", []),
    "with an empty field": (b"data\n\ndata:\n\n", ["", ""]),
    "with blank lines alone": (b"\n\n\r\n\n", []),
    "not at all": (b"", []),
}


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
async def test_stream_is_read_wherever_it_is_broken(name: str, size: int) -> None:
    stream, data = WRITTEN[name]

    assert await read(*(stream[start : start + size] for start in range(0, len(stream), size))) == data


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
async def test_line_may_be_as_long_as_was_said_and_no_longer(end: bytes) -> None:
    fits = b"data: " + (LONGEST - 6) * b"x"

    assert await read(fits + end) == [(LONGEST - 6) * "x"]
    with pytest.raises(OverflowError):
        await read(fits + b"x" + end)


async def test_line_that_never_ends_is_given_up_before_it_is_kept_whole() -> None:
    taken = 0

    async def endless() -> AsyncGenerator[bytes, None]:
        nonlocal taken
        while True:
            taken += 10
            yield 10 * b"x"

    with pytest.raises(OverflowError):
        [data async for data in events(endless(), longest_line=LONGEST)]
    assert taken == LONGEST + 10


async def test_event_of_many_lines_is_as_long_as_one_line_at_most() -> None:
    with pytest.raises(OverflowError):
        await read(*(3 * [b"data: " + 40 * b"x" + b"\n"]))


async def test_event_of_empty_lines_is_as_long_as_one_line_at_most() -> None:
    assert await read(LONGEST * b"data:\n") == [(LONGEST - 1) * "\n"]
    with pytest.raises(OverflowError):
        await read((LONGEST + 1) * b"data:\n")


async def test_a_long_line_in_small_chunks_is_read_in_one_go() -> None:
    megabyte = 1024 * 1024
    line = b"data: " + 14 * megabyte * b"x" + b"\n\n"

    chunks = [line[start : start + 4096] for start in range(0, len(line), 4096)]
    [data] = await read(*chunks, longest=32 * megabyte)

    assert len(data) == 14 * megabyte
