"""All of Tutti in one process: web server, queue workers and runner, started and stopped in the right order.

The queue `upstream` has a worker of its own, apart from `audio`: its threads stand still while every slot of the
runner is taken, and the audio of the songs in those slots must go on meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import signal
import threading
import time
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.db import connections

from config.asgi import application
from config.queue_worker import QueueWorker
from config.web_server import WebServer
from generation.runner import start_runner
from generation.waiting import waiting_room

logger = logging.getLogger("tutti.serve")

HAND_OFF_THREADS: Final = 4
ANSWER_SECONDS: Final = 10
OPEN_FILES: Final = 65_536


class Service:
    """The one process. `run` returns its exit code: 0 after a stop that was asked for."""

    def __init__(self, *, host: str, port: int, when_ready: Callable[[Service], None] | None = None) -> None:
        self._web = WebServer(application, host=host, port=port)
        self._when_ready = when_ready
        self._runner = start_runner()
        self._upstream = QueueWorker("upstream", threads=HAND_OFF_THREADS, on_death=self._give_up)
        self._audio = QueueWorker("audio", threads=settings.TUTTI_AUDIO_THREADS, on_death=self._give_up)
        self._exit_code = 0
        self._stopping: asyncio.Task[None] | None = None

    def run(self) -> int:
        self._upstream.start()
        self._audio.start()
        connections.close_all()  # those of the main thread, which only serves sockets from here on
        self._web.call_once_running(self._begin)
        self._web.run()
        if self._web.has_failed:
            self._runner.drain(0)
            return 1
        return self._exit_code

    def stop(self, exit_code: int = 0) -> None:
        """Ask for the end, from any thread."""
        self._loop.call_soon_threadsafe(self._begin_stop, exit_code)

    def _begin(self) -> None:
        self._loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._on_signal)
        if self._when_ready is not None:
            threading.Thread(target=self._when_ready, args=(self,), name="when-ready", daemon=True).start()

    def _on_signal(self) -> None:
        if self._stopping is not None:
            logger.warning("Stopped at once: jobs in hand are taken up again after the next start.")
            os._exit(1)
        self._begin_stop(0)

    def _give_up(self) -> None:
        self.stop(exit_code=1)

    def _begin_stop(self, exit_code: int) -> None:
        self._exit_code = max(self._exit_code, exit_code)
        if self._stopping is None:
            self._stopping = asyncio.ensure_future(self._stop_in_order())

    async def _stop_in_order(self) -> None:
        """Nothing new, then what is in hand, then its answers, then the sockets."""
        logger.info("Stopping: what is in hand is finished, at most %s s.", settings.TUTTI_STOP_GRACE_SECONDS)
        try:
            self._runner.stop_taking()
            self._upstream.close()
            await self._web.stop_listening()
            await asyncio.to_thread(self._runner.drain, settings.TUTTI_STOP_GRACE_SECONDS)
            self._audio.close()
            waiting_room().close_all()
            await self._web.answer_all(ANSWER_SECONDS)
            await asyncio.to_thread(self._join_workers)
        except Exception:
            logger.exception("The stop went wrong.")
            self._exit_code = 1
        finally:
            _exit_in_any_case(self._exit_code)
            self._web.stop()

    def _join_workers(self) -> None:
        end = time.monotonic() + ANSWER_SECONDS
        for worker in (self._upstream, self._audio):
            if not worker.join(max(0, end - time.monotonic())):
                logger.warning("A worker did not end in time; its messages come again after the next start.")


def allow_many_sockets() -> None:
    """Each waiting client is an open file; the usual limit of 1,024 would turn some away."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _exit_in_any_case(exit_code: int) -> None:
    """A thread that hangs in a slow call must not keep the process alive once all is done."""
    timer = threading.Timer(ANSWER_SECONDS, os._exit, (exit_code,))
    timer.daemon = True
    timer.start()
