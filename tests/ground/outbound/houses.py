"""A server on this machine that says byte for byte what a test wants, and keeps what it was sent."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Act = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class House:
    port: int = 0
    heard: list[str] = field(default_factory=list)
    """Every request: its first line and headers, in lower case but for the first line."""
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def house(*acts: Act, tls: ssl.SSLContext | None = None) -> AsyncIterator[House]:
    """Each request is answered by the next act, the last one again and again."""
    here = House()
    tasks: set[asyncio.Task] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        here.connections += 1
        try:
            while head := await _head(reader):
                act = acts[min(len(here.heard), len(acts) - 1)]
                here.heard.append(head)
                await act(writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    here.port = server.sockets[0].getsockname()[1]
    try:
        yield here
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _head(reader: asyncio.StreamReader) -> str:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return ""
    first, _, rest = head.decode().partition("\r\n")
    length = next((line[15:] for line in rest.lower().split("\r\n") if line.startswith("content-length:")), "0")
    await reader.readexactly(int(length))
    return f"{first}\r\n{rest.lower()}"


def says(*pieces: bytes, then_hangs: bool = False, then_closes: bool = False, pause: float = 0) -> Act:
    async def act(writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
        if then_hangs:
            await asyncio.Event().wait()
        if then_closes:
            writer.close()

    return act


def answers(status: int = 200, body: bytes = b"ok", **headers: str) -> Act:
    named = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return says(f"HTTP/1.1 {status} Said\r\nContent-Length: {len(body)}\r\n{named}\r\n".encode() + body)
