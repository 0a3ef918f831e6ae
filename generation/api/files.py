"""/v1/files: what callers have uploaded for their songs to lean on."""

from __future__ import annotations

from functools import partial
from pathlib import PurePath
from typing import Any, BinaryIO, Final

from django.core.files.storage import default_storage
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from rest_framework.request import Request

from generation.api import file_shapes as shapes
from generation.api.answers import answer
from generation.api.audio import FilePart
from generation.api.base import MusicView
from generation.api.bodies import json_object, whole_number
from generation.api.errors import failure
from generation.api.file_links import read_link
from generation.api.ranges import Part
from generation.api.uploading import BeingFetched, BeingRead, UploadView
from generation.audio.formats import FORMATS
from generation.contract import Refusal, Reply
from generation.dialects.digits import id_of
from generation.models import Upload
from generation.services.fetch_file import URL
from generation.services.uploads import NO_FILE, Sent, delete_upload, find_upload, known_purpose, uploads_page

MEDIA_TYPES: Final = {"m4a": FORMATS["m4a"].media_type, "mid": "audio/midi"}


class Files(UploadView, MusicView):
    words = {"GET": "generation.read", "POST": "files.create"}

    @shapes.upload_file
    def post(self, request: Request) -> HttpResponse:
        is_json = request._request.content_type == "application/json"  # noqa: SLF001 - DRF's has the parameters too
        return self._linked(request) if is_json else self.taken(request)

    def _linked(self, request: Request) -> HttpResponse:
        """A file that is named by its address. Raises Refusal."""
        asked = read_link(json_object(request))

        def look(kept: BinaryIO, size: int) -> BeingRead:
            sent = Sent(file_name=asked.file_name, size=size, purpose=asked.purpose)
            return self.being_read(request, kept, sent, param=URL)

        return BeingFetched(
            asked.url,
            organization_id=self.caller.organization.pk,
            look=look,
            refuse=partial(failure, request=self.request, dialect=self.dialect),
        )

    @shapes.list_files
    def get(self, request: Request) -> HttpResponse:
        query = request.query_params
        after = query.get("after")
        page = uploads_page(
            limit=whole_number(request, "limit", plain=20, low=1, high=100),
            live=self.caller.live,
            after=_id(after) if after else None,
            purpose=known_purpose(query["purpose"]) if query.get("purpose") else None,
        )
        body = {
            "object": "list",
            "data": [as_json(upload) for upload in page.uploads],
            "has_more": page.following is not None,
            "next": page.following,
        }
        return answer(Reply(status=200, body=body))

    def worded(self, upload: Upload) -> Reply:
        return Reply(status=200, body=as_json(upload))


class File(MusicView):
    words = {"GET": "generation.read", "DELETE": "files.create"}

    @shapes.read_file
    def get(self, request: Request, file_id: str) -> HttpResponse:
        return answer(Reply(status=200, body=as_json(find_upload(_id(file_id), live=self.caller.live))))

    @shapes.delete_file
    def delete(self, request: Request, file_id: str) -> HttpResponse:
        gone = delete_upload(_id(file_id), live=self.caller.live)
        return answer(Reply(status=200, body={"id": str(gone), "object": "file", "deleted": True}))


class FileContent(MusicView):
    """What we made of a file: to be saved, never to be shown by a browser as if it were ours."""

    words = {"GET": "generation.read"}

    @shapes.read_file_content
    def get(self, request: Request, file_id: str) -> HttpResponseBase:
        upload = find_upload(_id(file_id), live=self.caller.live)
        if not default_storage.exists(upload.file):
            raise Refusal("not_found", NO_FILE)
        size = default_storage.size(upload.file)
        headers = {
            "Content-Type": MEDIA_TYPES[upload.format],
            "Content-Length": str(size),
            "Content-Disposition": str(content_disposition_header(True, _saved_as(upload))),
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
            "ETag": f'"{upload.sha256}"',
        }
        if request.method == "HEAD":
            return HttpResponse(headers=headers)
        return StreamingHttpResponse(FilePart(default_storage.open(upload.file), Part(0, size - 1)), headers=headers)


def as_json(upload: Upload) -> dict[str, Any]:
    return {
        "id": str(upload.pk),
        "object": "file",
        "bytes": upload.size,
        "created_at": int(upload.created_at.timestamp()),
        "filename": upload.file_name,
        "purpose": upload.purpose,
    }


def _id(text: str) -> str:
    """A file has one id, which some wires write in digits."""
    return id_of(text) or text


def _saved_as(upload: Upload) -> str:
    return f"{PurePath(upload.file_name).stem}.{upload.format}"
