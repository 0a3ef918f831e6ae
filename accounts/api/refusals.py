"""Why a call was turned away at the door."""

from __future__ import annotations

from typing import Literal, Self

RefusalCode = Literal["missing_api_key", "invalid_api_key", "permission_denied"]


class AccessRefused(Exception):
    """Turned away before anything was looked at; each wire words it in its own error form."""

    def __init__(self, code: RefusalCode, message: str) -> None:
        super().__init__(message)
        self.code: RefusalCode = code
        self.message = message

    @classmethod
    def missing_key(cls) -> Self:
        return cls("missing_api_key", "No API key was given: send it as `Authorization: Bearer …` or as `x-api-key`.")

    @classmethod
    def invalid_key(cls) -> Self:
        # One sentence for malformed, unknown, revoked and expired: a guesser learns nothing from it.
        return cls("invalid_api_key", "The API key is not valid.")
