"""The view every route is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any, ClassVar

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework import status
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts import tenancy
from accounts.api.access import Permitted, word_for
from accounts.api.authentication import ApiKeyAuthentication, SessionAuthentication
from accounts.caller import Caller
from accounts.permissions import PUBLIC, WORDS


class GatewayView(APIView):
    """A DRF view that names the permission word of each of its methods and reads the caller's rows only.

        class Songs(GatewayView):
            words = {"GET": "generation.read", "POST": "generation.create"}

    A word of `PUBLIC` lets anyone in and looks at no credential. The handler runs inside the caller's scope; what is
    rendered lazily, or streamed, runs after it and has to enter a scope of its own.
    """

    authentication_classes: Sequence[type[BaseAuthentication]] = (ApiKeyAuthentication, SessionAuthentication)
    permission_classes = (Permitted,)
    words: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for method, word in cls.words.items():
            if word not in WORDS and word != PUBLIC:
                raise ImproperlyConfigured(f"{cls.__name__}: {word!r} is no permission word")
            if method.lower() not in cls.http_method_names or method != method.upper():
                raise ImproperlyConfigured(f"{cls.__name__}: {method!r} is no HTTP method")

    @property
    def caller(self) -> Caller:
        """On whose behalf this call is made. A public method has none: asking for it there is an error."""
        caller = self.request.auth
        if not isinstance(caller, Caller):
            raise TypeError(f"{type(self).__name__} was called by nobody in particular")
        return caller

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with ExitStack() as self._scope:
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not self._is_public(request):
            self._scope.enter_context(tenancy.scope(self.caller.organization))

    def perform_authentication(self, request: Request) -> None:
        # A link that anyone may open opens, too, for someone whose browser carries a stale session or key.
        if not self._is_public(request):
            super().perform_authentication(request)

    def options(  # type: ignore[override]  # nothing to render, so no DRF response
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Which methods there are, as the `Allow` header says; nothing about the view itself."""
        return HttpResponse(status=status.HTTP_204_NO_CONTENT)

    def _is_public(self, request: Request) -> bool:
        return word_for(self, request.method or "") == PUBLIC
