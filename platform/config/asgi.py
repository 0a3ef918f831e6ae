"""The ASGI application, for `manage.py serve` and for any ASGI server."""

from __future__ import annotations

import os

import django
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

from config.bounded_request import bound_bodies  # noqa: E402
from config.closing import allow_every_close_code  # noqa: E402
from config.handler import PooledASGIHandler, PooledSockets  # noqa: E402
from config.threads import WebThreads  # noqa: E402
from generation.routing import websocket_urlpatterns  # noqa: E402
from generation.waiting import borrow_threads  # noqa: E402

allow_every_close_code()
bound_bodies()
threads = WebThreads(settings.TUTTI_WEB_THREADS)
borrow_threads(threads.least_busy)
application = ProtocolTypeRouter(
    {
        "http": PooledASGIHandler(threads),
        "websocket": PooledSockets(URLRouter(websocket_urlpatterns), threads),
    }
)
