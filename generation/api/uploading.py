"""Files that callers send: the form is read on a thread, the file in a process of its own, and nobody waits for that.

The view looks at the form and ends; what it returns is read without a thread; a second short call keeps and answers.
A file that is named by its address instead is fetched in between, without a thread too, and then goes the same way.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Final, cast

from asgiref.sync import sync_to_async
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.parsers import BaseParser, DataAndFiles
from rest_framework.request import Request

from accounts import tenancy
from accounts.caller import Caller
from generation.api.answers import answer
from generation.api.base import WireView
from generation.api.errors import failure
from generation.audio.bad_audio import BadAudio
from generation.audio.isolation import Cleaned, TooBusy, clean
from generation.audio.purposes import HEAD_BYTES, MOST_BYTES, claimed_format
from generation.contract import Refusal, Reply
from generation.models import Upload
from generation.services.fetch_file import fetch_file
from generation.services.uploads import Sent, keep_upload, known_purpose

FILE, PURPOSE = "file", "purpose"
FORM_BYTES: Final = 64 * 1024
"""What a form may hold beside its file."""
RETRY_SECONDS: Final = 5


class FormFile(FileUploadHandler):
    """Keeps the one file of a form in a file without a name, which a crash cannot leave behind."""

    kept: BinaryIO | None = None

    def new_file(self, field_name: str, *args: Any, **kwargs: Any) -> None:
        super().new_file(field_name, *args, **kwargs)
        if field_name != FILE or self.kept is not None:
            raise SkipFile
        self.kept = cast(BinaryIO, TemporaryFile())  # noqa: SIM115 - closed by whoever reads it

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start + len(raw_data) > MOST_BYTES:
            raise too_large()
        cast(BinaryIO, self.kept).write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile[bytes]:
        kept = cast(BinaryIO, self.kept)
        kept.flush()
        return UploadedFile(file=kept, name=self.file_name, size=file_size)

    def close(self) -> None:
        if self.kept is not None:
            self.kept.close()


class BeingRead(HttpResponse):
    """What a view returns while the file it was sent is read; `finish` is called on a thread with what came of it."""

    def __init__(self, file: BinaryIO, *, claimed: str, purpose: str, finish: Finish) -> None:
        super().__init__(status=202)
        self.file, self.claimed, self.purpose, self.finish = file, claimed, purpose, finish


Outcome = Cleaned | BadAudio | TooBusy
Finish = Callable[[BinaryIO, Outcome], HttpResponse]


class BeingFetched(HttpResponse):
    """What a view returns while the file at `link` is fetched: `look` at what came, or `refuse` it."""

    def __init__(self, link: str, *, organization_id: int, look: Look, refuse: Refuse) -> None:
        super().__init__(status=202)
        self.link, self.organization_id, self.look, self.refuse = link, organization_id, look, refuse


Look = Callable[[BinaryIO, int], BeingRead]
Refuse = Callable[[Exception], HttpResponse]


def uploading(view: Any) -> Callable[..., Awaitable[HttpResponseBase]]:
    """Wrap `View.as_view()` of a view that may return `BeingRead` or `BeingFetched`."""

    async def patient(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with closing(FormFile(request)) as form_file:
            request.upload_handlers = [form_file]
            response: HttpResponseBase = await sync_to_async(view, thread_sensitive=True)(request, *args, **kwargs)
            if isinstance(response, BeingFetched):
                return await _fetched(response)
            return await _finished(response) if isinstance(response, BeingRead) else response

    # What the schema, the table of permissions and the server's limits read of a DRF view.
    patient.cls = view.cls  # type: ignore[attr-defined]
    patient.initkwargs = view.initkwargs  # type: ignore[attr-defined]
    patient.csrf_exempt = True  # type: ignore[attr-defined]
    return patient


async def _fetched(being_fetched: BeingFetched) -> HttpResponse:
    with TemporaryFile() as file:
        kept = cast(BinaryIO, file)
        try:
            size = await fetch_file(being_fetched.link, kept, organization_id=being_fetched.organization_id)
            being_read = being_fetched.look(kept, size)
        except Exception as exc:  # noqa: BLE001 - the view has ended: nobody above would word it in the caller's wire
            return being_fetched.refuse(exc)
        return await _finished(being_read)


async def _finished(being_read: BeingRead) -> HttpResponse:
    with TemporaryFile() as made:
        outcome = await _read(being_read, cast(BinaryIO, made))
        return await sync_to_async(being_read.finish, thread_sensitive=True)(cast(BinaryIO, made), outcome)


async def _read(being_read: BeingRead, made: BinaryIO) -> Outcome:
    try:
        return await clean(being_read.file, made, claimed=being_read.claimed, purpose=being_read.purpose)
    except (BadAudio, TooBusy) as refused:
        return refused


class DjangosForm(BaseParser):
    """Leaves the form to Django, whose reader hands the file on while it comes: the check for CSRF asks for it too."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        request = parser_context["request"]._request  # noqa: SLF001 - DRF's request has no other way to it
        return DataAndFiles(request.POST, request.FILES)


class UploadView(WireView):
    """A route that takes a file; serve it through `uploading`."""

    parser_classes = (DjangosForm,)
    words = {"POST": "files.create"}
    largest_body_bytes = MOST_BYTES + FORM_BYTES

    def worded(self, upload: Upload) -> Reply:
        """The answer to an upload that was kept."""
        raise NotImplementedError

    def taken(self, request: Request) -> HttpResponse:
        """Look at the form. Raises Refusal."""
        file, purpose = _form(request, self.largest_body_bytes)
        sent = Sent(file_name=file.name or "", size=file.size or 0, purpose=purpose)
        return self.being_read(request, cast(BinaryIO, file.file), sent)

    def being_read(self, request: Request, kept: BinaryIO, sent: Sent, *, param: str = FILE) -> BeingRead:
        """Look at the first bytes of a file; `param` is the field that brought it. Raises Refusal."""
        kept.seek(0)
        try:
            claimed = claimed_format(kept.read(HEAD_BYTES), sent.size, sent.purpose)
        except BadAudio as bad:
            raise _refusal(bad, param) from None
        keeping = _Keeping(self, request, self.caller, sent, param)
        return BeingRead(kept, claimed=claimed, purpose=sent.purpose, finish=keeping.finish)


@dataclass(frozen=True, slots=True)
class _Keeping:
    """What remains to be done for an upload once its file was read, on whichever thread, in a scope of its own."""

    view: UploadView
    request: Request
    caller: Caller
    sent: Sent
    param: str

    def finish(self, made: BinaryIO, outcome: Outcome) -> HttpResponse:
        try:
            if isinstance(outcome, Cleaned):
                return answer(self.view.worded(self._kept(made, outcome)))
            return failure(_refusal(outcome, self.param), self.request, self.view.dialect)
        except Exception as exc:  # noqa: BLE001 - the view has ended: nobody above would word it in the caller's wire
            return failure(exc, self.request, self.view.dialect)

    def _kept(self, made: BinaryIO, cleaned: Cleaned) -> Upload:
        with tenancy.scope(self.caller.organization):
            return keep_upload(self.sent, cleaned, made, caller=self.caller)


def _form(request: Request, largest: int) -> tuple[UploadedFile[bytes], str]:
    """The file and its purpose. Raises Refusal."""
    # Not `request.data`: that takes a form without a length for an empty one.
    django_request = request._request  # noqa: SLF001 - DRF's request has no other way to it
    if int(django_request.META.get("CONTENT_LENGTH") or 0) > largest:
        raise too_large()
    file, purpose = django_request.FILES.get(FILE), django_request.POST.get(PURPOSE)
    if not isinstance(file, UploadedFile):
        raise _missing(FILE)
    if not purpose:
        raise _missing(PURPOSE)
    return file, known_purpose(purpose)


def _missing(name: str) -> Refusal:
    return Refusal("missing_parameter", f"Missing required parameter: {name}", param=name)


def too_large() -> Refusal:
    return Refusal("body_too_large", f"A file may have at most {MOST_BYTES:,} bytes.", param=FILE)


def _refusal(why: BadAudio | TooBusy, param: str) -> Refusal:
    if isinstance(why, TooBusy):
        message = "Too many files are being read already. Try again shortly."
        return Refusal("busy", message, retry_after=RETRY_SECONDS)
    return Refusal("invalid_parameter", str(why), param=param)
