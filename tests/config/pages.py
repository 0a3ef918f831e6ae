"""Pages for the tests of the handler: one that waits, one that answers at once, one that blocks its thread."""

from __future__ import annotations

import asyncio
import threading

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from django.urls import path

may_answer: dict[str, asyncio.Event] = {}
may_leave = threading.Event()


async def waits(request: HttpRequest) -> HttpResponse:
    before = await sync_to_async(threading.get_ident)()
    await may_answer["waits"].wait()
    after = await sync_to_async(threading.get_ident)()
    return HttpResponse(f"{before} {after}")


def answers(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(threading.get_ident()))


def blocks(request: HttpRequest) -> HttpResponse:
    may_leave.wait(timeout=30)
    return HttpResponse(str(threading.get_ident()))


urlpatterns = [path("waits", waits), path("answers", answers), path("blocks", blocks)]
