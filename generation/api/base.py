"""What the views of every wire have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from accounts.api.views import GatewayView
from generation.dialects.base import Dialect
from generation.dialects.openai_music import OpenAIMusic
from generation.dialects.registry import OPENAI_MUSIC
from generation.services.reading import Reader


class OneForm(BaseContentNegotiation):
    """Each route answers in one form; a client that asks for audio or for events is not turned away for it."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class WireView(GatewayView):
    """A route of a wire: reads jobs for its caller and answers in the wire's words."""

    content_negotiation_class = OneForm
    dialect: Dialect

    def reader(self, **wishes: Any) -> Reader:
        return Reader(self.caller, self.dialect, **wishes)


class MusicView(WireView):
    """A route of the wire `openai_music`."""

    dialect: OpenAIMusic = OPENAI_MUSIC
