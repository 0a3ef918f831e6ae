"""Signed audio links: a plain GET opens them, nobody can make one up, and they end by themselves."""

from __future__ import annotations

import base64
import binascii
import uuid
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from django.core.signing import BadSignature, Signer
from django.utils import timezone

from generation.contract import Refusal

PATH: Final = "/v1/audio"
_UUID_BYTES: Final = 16
_MOMENT_BYTES: Final = 5
_SIGNER: Final = "tutti.audio-link"


def sign_link(track_id: uuid.UUID, *, file_name: str, expires_at: datetime, base_url: str) -> str:
    """An absolute URL whose last segment is `file_name`; it opens until `expires_at` (whole seconds)."""
    payload = _packed(track_id, int(expires_at.timestamp()))
    signature = _signer().signature(f"{payload}/{file_name}")
    return f"{base_url}{PATH}/{payload}.{signature}/{quote(file_name)}"


def open_link(token: str, file_name: str) -> uuid.UUID:
    """The track behind a link. Raises Refusal `not_found` alike for a forged, a changed and an ended one."""
    payload, _, signature = token.partition(".")
    try:
        _signer().unsign(f"{payload}/{file_name}.{signature}")
        track_id, ends = _unpacked(payload)
    except (BadSignature, ValueError):
        raise _no_such_file() from None
    if timezone.now() >= datetime.fromtimestamp(ends, UTC):
        raise _no_such_file()
    return track_id


def _signer() -> Signer:
    return Signer(salt=_SIGNER, sep=".")


def _packed(track_id: uuid.UUID, ends: int) -> str:
    return base64.urlsafe_b64encode(track_id.bytes + ends.to_bytes(_MOMENT_BYTES, "big")).decode()


def _unpacked(payload: str) -> tuple[uuid.UUID, int]:
    """Raises ValueError for anything that `_packed` did not make."""
    try:
        packed = base64.b64decode(payload, altchars=b"-_", validate=True)
    except binascii.Error as broken:
        raise ValueError(str(broken)) from None
    return uuid.UUID(bytes=packed[:_UUID_BYTES]), int.from_bytes(packed[_UUID_BYTES:], "big")


def _no_such_file() -> Refusal:
    return Refusal("not_found", "There is no such file, or its link has ended: ask for the song again.")
