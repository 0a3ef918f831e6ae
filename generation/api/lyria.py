"""The addresses of generateContent and of chat completions: at an endpoint, at a model, or at neither."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http.response import HttpResponseBase
from rest_framework.request import Request

from accounts.api.authentication import GoogleKeyAuthentication, SessionAuthentication
from generation.api import lyria_shapes as shapes
from generation.api.orders import OrderView
from generation.contract import Order
from generation.dialects.base import Dialect
from generation.dialects.registry import CHAT, LYRIA


class ContentView(OrderView):
    """A route on which Google's clients order."""

    authentication_classes = (GoogleKeyAuthentication, SessionAuthentication)
    dialect: Dialect = LYRIA


class ChatView(OrderView):
    """A route on which OpenAI's clients order."""

    dialect: Dialect = CHAT


class EndpointContent(ContentView):
    @shapes.generate_at_endpoint
    def post(self, request: Request, endpoint: str) -> HttpResponseBase:
        return self.answer_to(self.take(request, {"endpoint": endpoint}))

    def order_of(self, body: Mapping[str, Any], path: Mapping[str, str]) -> Order:
        """Chats are sent to this address too: they are read, answered and refused as such."""
        if body.get("messages") is not None and body.get("contents") is None:
            self.dialect = CHAT
        return super().order_of(body, path)


class EndpointModelContent(ContentView):
    @shapes.generate_at_endpoint_by_model
    def post(self, request: Request, endpoint: str, model: str) -> HttpResponseBase:
        return self.answer_to(self.take(request, {"endpoint": endpoint, "model": model}))


class ModelContent(ContentView):
    @shapes.generate_by_model
    def post(self, request: Request, model: str) -> HttpResponseBase:
        return self.answer_to(self.take(request, {"model": model}))


class BetaModelContent(ContentView):
    @shapes.generate_by_beta_model
    def post(self, request: Request, model: str) -> HttpResponseBase:
        return self.answer_to(self.take(request, {"model": model}))


class ProjectModelContent(ContentView):
    @shapes.generate_in_project
    def post(self, request: Request, project: str, location: str, model: str) -> HttpResponseBase:
        return self.answer_to(self.take(request, {"model": model}))


class Chat(ChatView):
    @shapes.chat
    def post(self, request: Request) -> HttpResponseBase:
        return self.answer_to(self.take(request, {}))


class EndpointChat(ChatView):
    @shapes.chat_at_endpoint
    def post(self, request: Request, endpoint: str) -> HttpResponseBase:
        return self.answer_to(self.take(request, {"endpoint": endpoint}))


class EndpointGoogleChat(ChatView):
    @shapes.chat_at_google_endpoint
    def post(self, request: Request, endpoint: str) -> HttpResponseBase:
        return self.answer_to(self.take(request, {"endpoint": endpoint}))
