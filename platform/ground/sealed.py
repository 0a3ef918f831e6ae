"""A text column that is ciphertext at rest.

Keys come from `SEALING_KEYS`, newest first: the first one seals, every one opens, so a key can be rotated by putting
a new one in front and saving the rows again.
"""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


class CannotOpen(RuntimeError):
    """A sealed value was written with a key that is no longer listed. The value itself is never shown."""


def seal(text: str) -> str:
    return _sealer().encrypt(text.encode()).decode()


def open_sealed(token: str) -> str:
    try:
        return _sealer().decrypt(token.encode()).decode()
    except InvalidToken:
        raise CannotOpen(
            "a sealed value does not open with any of SEALING_KEYS; list the key it was sealed with"
        ) from None


def _sealer() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.SEALING_KEYS])


class SealedTextField(models.TextField):  # type: ignore[type-arg]  # Django fields take none at run time
    """Reads and writes plain text in Python; the database holds a Fernet token, another one at each save."""

    def get_prep_value(self, value: Any) -> str | None:
        text = super().get_prep_value(value)
        return seal(text) if text else text

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        return open_sealed(value) if value else value
