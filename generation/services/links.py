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
STREAM_PATH: Final = f"{PATH}/stream"
_UUID_BYTES: Final = 16
_TAKE_BYTES: Final = 2
_MOMENT_BYTES: Final = 5
_TRACK: Final = "tutti.audio-link"
_STREAM: Final = "tutti.stream-link"
"""What a signature is for: a link to one is none to the other."""


def sign_link(track_id: uuid.UUID, *, file_name: str, expires_at: datetime, base_url: str) -> str:
    """An absolute URL whose last segment is `file_name`; it opens until `expires_at` (whole seconds)."""
    return f"{base_url}{PATH}/{_signed(_TRACK, track_id.bytes, file_name, expires_at)}"


def open_link(token: str, file_name: str) -> uuid.UUID:
    """The track behind a link. Raises Refusal `not_found` alike for a forged, a changed and an ended one."""
    return uuid.UUID(bytes=_opened(_TRACK, token, file_name, _UUID_BYTES))


def sign_stream(job_id: uuid.UUID, take: int, *, file_name: str, expires_at: datetime, base_url: str) -> str:
    """An absolute URL of a take that grows while it is made; as `sign_link`."""
    target = job_id.bytes + take.to_bytes(_TAKE_BYTES, "big")
    return f"{base_url}{STREAM_PATH}/{_signed(_STREAM, target, file_name, expires_at)}"


def open_stream(token: str, file_name: str) -> tuple[uuid.UUID, int]:
    """The job and the number of the take behind a link. Raises Refusal as `open_link` does."""
    target = _opened(_STREAM, token, file_name, _UUID_BYTES + _TAKE_BYTES)
    return uuid.UUID(bytes=target[:_UUID_BYTES]), int.from_bytes(target[_UUID_BYTES:], "big")


def _signed(purpose: str, target: bytes, file_name: str, expires_at: datetime) -> str:
    payload = _packed(target, int(expires_at.timestamp()))
    signature = _signer(purpose).signature(f"{payload}/{file_name}")
    return f"{payload}.{signature}/{quote(file_name)}"


def _opened(purpose: str, token: str, file_name: str, size: int) -> bytes:
    payload, _, signature = token.partition(".")
    try:
        _signer(purpose).unsign(f"{payload}/{file_name}.{signature}")
        target, ends = _unpacked(payload, size)
    except (BadSignature, ValueError):
        raise _no_such_file() from None
    if timezone.now() >= datetime.fromtimestamp(ends, UTC):
        raise _no_such_file()
    return target


def _signer(purpose: str) -> Signer:
    return Signer(salt=purpose, sep=".")


def _packed(target: bytes, ends: int) -> str:
    return base64.urlsafe_b64encode(target + ends.to_bytes(_MOMENT_BYTES, "big")).decode()


def _unpacked(payload: str, size: int) -> tuple[bytes, int]:
    """Raises ValueError for anything that `_packed` did not make."""
    try:
        packed = base64.b64decode(payload, altchars=b"-_", validate=True)
    except binascii.Error as broken:
        raise ValueError(str(broken)) from None
    if len(packed) != size + _MOMENT_BYTES:
        raise ValueError("not of this size")
    return packed[:size], int.from_bytes(packed[size:], "big")


def _no_such_file() -> Refusal:
    return Refusal("not_found", "There is no such file, or its link has ended: ask for the song again.")
