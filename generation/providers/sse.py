"""Reading a stream of server-sent events, as it comes and however loosely it is written."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterable
from typing import Final

LINE_END: Final = re.compile(rb"\r\n|\n|\r")
BOM: Final = b"\xef\xbb\xbf"
FIELD: Final = b"data"


async def events(chunks: AsyncIterable[bytes], *, longest_line: int) -> AsyncGenerator[str, None]:
    """The data of each event, in order; `chunks` may break anywhere.

    Comments and other fields than `data` are passed over, lines of data are joined, the space after the colon may be
    missing. What no blank line has closed when the stream ends counts as an event too. Raises OverflowError for a
    line, or an event, of more than `longest_line` bytes.
    """
    data: list[bytes] = []
    size = 0
    async for line in _lines(chunks, longest_line):
        if not line:
            if data:
                yield _text(data)
            data, size = [], 0
            continue
        name, _, value = line.partition(b":")
        if name == FIELD:
            data.append(value.removeprefix(b" "))
            size += len(data[-1]) + 1
            if size > longest_line:
                raise _too_long(longest_line)
    if data:
        yield _text(data)


async def _lines(chunks: AsyncIterable[bytes], longest: int) -> AsyncGenerator[bytes, None]:
    """Lines without their ends, whichever of the three that is; what is left at the end is one too."""
    line, is_first, follows_return = bytearray(), True, False
    async for chunk in chunks:
        # A return at the end of a chunk has ended its line: the feed that follows it belongs to it.
        piece = chunk[1:] if follows_return and chunk.startswith(b"\n") else chunk
        follows_return = chunk.endswith(b"\r")
        *ended, rest = LINE_END.split(piece)
        for end in ended:
            line += end
            _refuse_longer(line, longest)
            yield bytes(line.removeprefix(BOM) if is_first else line)
            is_first = False
            line.clear()
        line += rest
        _refuse_longer(line, longest)
    if line:
        yield bytes(line)


def _refuse_longer(line: bytearray, longest: int) -> None:
    if len(line) > longest:
        raise _too_long(longest)


def _too_long(longest: int) -> OverflowError:
    return OverflowError(f"An event of the stream is longer than {longest} bytes.")


def _text(data: list[bytes]) -> str:
    return b"\n".join(data).decode(errors="replace")
