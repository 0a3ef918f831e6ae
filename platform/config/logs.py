"""Which request a log line belongs to. Logs carry routes and ids, never addresses, bodies or keys."""

from __future__ import annotations

import logging
from contextvars import ContextVar
from typing import Final

current_request_id: Final[ContextVar[str]] = ContextVar("tutti_request_id", default="-")


class RequestIdFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current_request_id.get()
        return True
