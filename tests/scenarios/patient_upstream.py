"""An upstream that takes its time: a process of its own on loopback that answers each order after a fixed wait.

    python -m tests.scenarios.patient_upstream SECONDS

It prints its port, tells with `GET /counts` how many orders came and how many were open at once, and ends with its
standard input. Standard library only.
"""

from __future__ import annotations

import asyncio
import io
import json
import math
import os
import struct
import sys
import threading
import wave

RATE = 8_000
BACKLOG = 2_000


def sound() -> bytes:
    """One second of 220 Hz, WAV, 16 bit, mono."""
    target = io.BytesIO()
    with wave.open(target, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        sine = (round(10_000 * math.sin(2 * math.pi * 220 * moment / RATE)) for moment in range(RATE))
        out.writeframes(b"".join(struct.pack("<h", sample) for sample in sine))
    return target.getvalue()


class Patient:
    """Counts what is open while it waits."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._song = json.dumps({"id": "song", "status": "SUCCEEDED", "audio": sound().hex()}).encode()
        self._orders = self._open = self._most_open = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await self._head(reader):
                body = self._counts() if head.startswith(b"GET /counts") else await self._made()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
                writer.write(f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _head(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        lengths = [line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        await reader.readexactly(int(lengths[0]) if lengths else 0)
        return head

    async def _made(self) -> bytes:
        self._orders += 1
        self._open += 1
        self._most_open = max(self._most_open, self._open)
        await asyncio.sleep(self._seconds)
        self._open -= 1
        return self._song

    def _counts(self) -> bytes:
        return json.dumps({"orders": self._orders, "most_open": self._most_open}).encode()


def end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)


async def main(seconds: float) -> None:
    server = await asyncio.start_server(Patient(seconds).serve, "127.0.0.1", 0, backlog=BACKLOG)
    print(server.sockets[0].getsockname()[1], flush=True)
    threading.Thread(target=end_with_input, daemon=True).start()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
