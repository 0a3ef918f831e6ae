"""Server-sent events as upstreams write them (WHATWG HTML, 9.2), read while they come."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Final

_MARK: Final = b"\xef\xbb\xbf"


async def events(chunks: AsyncIterator[bytes], *, longest_line: int) -> AsyncGenerator[str, None]:
    """The data of each event. Comments and `event:`, `id:`, `retry:` lines are passed over; lines end in LF or CRLF.

    An event that the stream's end leaves open counts. Raises OverflowError for a line, or the lines of one event,
    of more than `longest_line` bytes.
    """
    data: list[bytes] = []
    async with aclosing(_lines(chunks, longest_line)) as lines:
        async for line in lines:
            name, _, value = line.partition(b":")
            if name == b"data":
                data.append(value.removeprefix(b" "))
                _refuse_beyond(longest_line, sum(map(len, data)))
            elif not line and data:
                yield b"\n".join(data).decode(errors="replace")
                data = []
    if data:
        yield b"\n".join(data).decode(errors="replace")


async def _lines(chunks: AsyncIterator[bytes], longest: int) -> AsyncGenerator[bytes, None]:
    buffer, is_first = bytearray(), True
    async for chunk in chunks:
        seen = len(buffer)
        buffer += chunk
        while (end := buffer.find(b"\n", seen)) >= 0:
            _refuse_beyond(longest, end)
            line = bytes(buffer[:end])
            del buffer[: end + 1]
            yield (line.removeprefix(_MARK) if is_first else line).removesuffix(b"\r")
            seen, is_first = 0, False
        _refuse_beyond(longest, len(buffer))
    if buffer:
        yield bytes(buffer)


def _refuse_beyond(longest: int, size: int) -> None:
    if size > longest:
        raise OverflowError(f"An event is longer than {longest} bytes.")
