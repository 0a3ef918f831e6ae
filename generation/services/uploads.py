"""Files of callers that songs may lean on: taken, listed, opened, removed. Every read here is inside a scope."""

from __future__ import annotations

import hashlib
import re
import unicodedata
import uuid
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import BinaryIO, Final

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.caller import Caller
from generation.audio.isolation import Cleaned
from generation.audio.purposes import RULES
from generation.contract import Refusal
from generation.models import Job, Upload
from generation.models.job import new_id

LONGEST_NAME: Final = 120
LEANS: Final = ("references__reference", "references__vocal", "references__melody", "extend__upload")
"""Where a song request names an upload."""
NO_FILE: Final = "There is no such file."
_IN_A_PATH: Final = re.compile(r"[/\\]")


@dataclass(frozen=True, slots=True)
class Page:
    """Some uploads, newest first; `following` is the id to give as `after` for the next page."""

    uploads: tuple[Upload, ...]
    following: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a caller sent: its name as the caller wrote it, the number of its bytes, and what it is for."""

    file_name: str
    size: int
    purpose: str


def keep_upload(sent: Sent, cleaned: Cleaned, made: BinaryIO, *, caller: Caller) -> Upload:
    """Store what was made of a file, and only that."""
    upload_id = new_id()
    made.seek(0)
    sha256 = hashlib.sha256(made.read()).hexdigest()
    file = default_storage.save(f"uploads/{upload_id}.{cleaned.format}", File(made))
    try:
        return Upload.objects.create(
            id=upload_id,
            organization=caller.organization,
            api_key=caller.api_key,
            member=caller.member,
            live=caller.live,
            purpose=sent.purpose,
            file_name=display_name(sent.file_name, cleaned.format),
            size=sent.size,
            format=cleaned.format,
            duration_ms=cleaned.duration_ms,
            file=file,
            sha256=sha256,
            tune=[list(note) for note in cleaned.tune],
            created_at=timezone.now(),
        )
    except Exception:
        default_storage.delete(file)
        raise


def display_name(sent: str, audio_format: str) -> str:
    """A name to show: the last part of what was sent, without control and direction characters."""
    last = _IN_A_PATH.split(unicodedata.normalize("NFC", sent))[-1]
    shown = "".join(character for character in last if unicodedata.category(character)[0] != "C").strip(" .")
    return shown[-LONGEST_NAME:] or f"upload.{audio_format}"


def find_upload(upload_id: str | uuid.UUID, *, live: bool) -> Upload:
    """Raises Refusal `not_found`: a foreign one reads exactly as a missing one."""
    try:
        return Upload.objects.get(pk=uuid.UUID(str(upload_id)), live=live)
    except (ValueError, Upload.DoesNotExist):
        raise Refusal("not_found", NO_FILE) from None


def uploads_page(*, limit: int, live: bool, after: str | None = None, purpose: str | None = None) -> Page:
    """Uploads in scope, newest first; raises Refusal when `after` is no upload of the caller."""
    uploads = Upload.objects.filter(live=live).order_by("-id")
    if purpose is not None:
        uploads = uploads.filter(purpose=purpose)
    if after is not None:
        uploads = uploads.filter(id__lt=find_upload(after, live=live).pk)
    rows = list(uploads[: limit + 1])
    return Page(tuple(rows[:limit]), str(rows[limit - 1].pk) if len(rows) > limit else None)


def delete_upload(upload_id: str, *, live: bool) -> uuid.UUID:
    """Remove a file; raises Refusal while a song that is not yet made leans on it."""
    with transaction.atomic():
        found = find_upload(upload_id, live=live)
        # The same lock that an order takes which leans on it: one of the two comes first.
        locked = Upload.objects.select_for_update().filter(pk=found.pk).first()
        if locked is None:
            raise Refusal("not_found", NO_FILE)
        if _is_leant_on(locked):
            raise Refusal("invalid_parameter", "A song that is still being made leans on this file.", param="file_id")
        locked.delete()
        transaction.on_commit(lambda: default_storage.delete(locked.file), robust=True)
    return found.pk


def _is_leant_on(upload: Upload) -> bool:
    names = reduce(or_, (Q(**{f"request__{place}": str(upload.pk)}) for place in LEANS))
    return Job.objects.unfinished().filter(names).exists()


def known_purpose(purpose: str) -> str:
    """The purpose in the words of the rules; one pair of quotes round it is no part of it. Raises Refusal."""
    word = purpose.removeprefix('"').removesuffix('"')
    if word not in RULES:
        listed = ", ".join(RULES)
        rule = f"Invalid value for parameter purpose: it must be one of {listed}."
        raise Refusal("invalid_parameter", rule, param="purpose")
    return word
