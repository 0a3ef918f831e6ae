"""Who stays: streams and sockets end within a second once their caller may not read any more."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

from accounts.caller import Caller
from accounts.services.rights import callers_now
from generation.waiting import WaitingRoom, waiting_room

logger = logging.getLogger(__name__)

CHECK_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Admitted:
    """Someone who stays for as long as `caller` holds `word`; `turn_out` is called on the loop when that ends."""

    caller: Caller
    word: str
    turn_out: Callable[[], None]


class Admissions:
    """All that stay in this process, checked together: one query however many they are."""

    def __init__(self, room: WaitingRoom, *, check_seconds: float = CHECK_SECONDS) -> None:
        self._room = room
        self._check_seconds = check_seconds
        self._admitted: set[Admitted] = set()
        self._is_occupied = asyncio.Event()
        self._checking: asyncio.Task[None] | None = None

    @contextmanager
    def staying(self, caller: Caller, word: str, turn_out: Callable[[], None]) -> Iterator[None]:
        """Be told when the caller loses the right that this stay rests on."""
        if self._checking is None:
            # A fresh context: not the scope of whoever came first.
            self._checking = asyncio.get_running_loop().create_task(self._check_regularly(), context=Context())
        admitted = Admitted(caller, word, turn_out)
        self._admitted.add(admitted)
        self._is_occupied.set()
        try:
            yield
        finally:
            self._admitted.discard(admitted)
            if not self._admitted:
                self._is_occupied.clear()

    async def _check_regularly(self) -> None:
        while True:
            await self._is_occupied.wait()
            await asyncio.sleep(self._check_seconds)
            try:
                await self._check()
            except Exception:
                logger.exception("The rights of those who stay could not be read; the next check follows.")

    async def _check(self) -> None:
        here = tuple(self._admitted)
        now = await self._room.run(callers_now, [admitted.caller for admitted in here])
        for admitted, caller in zip(here, now, strict=True):
            if admitted in self._admitted and (caller is None or not caller.may(admitted.word)):
                admitted.turn_out()


_admissions: WeakKeyDictionary[asyncio.AbstractEventLoop, Admissions] = WeakKeyDictionary()


def admissions() -> Admissions:
    """Those of the running loop."""
    loop = asyncio.get_running_loop()
    if loop not in _admissions:
        _admissions[loop] = Admissions(waiting_room())
    return _admissions[loop]
