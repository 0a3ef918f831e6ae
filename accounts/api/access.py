"""The one permission class: it asks for the word the view declares for the method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.api.refusals import AccessRefused
from accounts.caller import Caller
from accounts.permissions import PUBLIC

if TYPE_CHECKING:
    # DRF's views import this module, which the settings name as the default.
    from rest_framework.views import APIView


class Permitted(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:
        """True, or AccessRefused. A method that declares no word is refused, whoever asks."""
        method = request.method or ""
        word = word_for(view, method)
        if word is None:
            raise AccessRefused("permission_denied", f"No permission is declared for {method} on this route.")
        if word != PUBLIC:
            _require(word, request.auth)
        return True


def word_for(view: APIView, method: str) -> str | None:
    """The permission word a call of this method needs; None where the view declares none."""
    if is_without_effect(view, method):
        return PUBLIC
    words: Mapping[str, str] = getattr(view, "words", {})
    return words.get("GET" if method == "HEAD" else method)


def is_without_effect(view: APIView, method: str) -> bool:
    """Browsers ask OPTIONS without a key, and a method without a handler is answered 405 to anyone."""
    has_handler = method.lower() in view.http_method_names and hasattr(view, method.lower())
    return method == "OPTIONS" or not has_handler


def _require(word: str, caller: object) -> None:
    if not isinstance(caller, Caller):
        raise AccessRefused.missing_key()
    if not caller.may(word):
        raise AccessRefused("permission_denied", f"This needs the permission `{word}`, which the caller does not hold.")
