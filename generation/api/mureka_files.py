"""POST …/files/upload, the same flat answer in both envelopes; what is refused is worded in the envelope's own form."""

from __future__ import annotations

from django.http import HttpResponse
from rest_framework.request import Request

from catalog.services.lookup import EndpointNotFound, find_endpoint
from generation.api import file_shapes as shapes
from generation.api.errors import request_id
from generation.api.uploading import UploadView
from generation.contract import Refusal, Reply
from generation.dialects.digits import digits_of
from generation.dialects.reading import in_path
from generation.dialects.registry import MUREKA_MAAS, MUREKA_OFFICIAL
from generation.models import Upload


class MurekaUpload(UploadView):
    def worded(self, upload: Upload) -> Reply:
        trace_id = request_id(self.request)
        body = {
            "trace_id": trace_id,
            "purpose": upload.purpose,
            "created_at": int(upload.created_at.timestamp()),
            "filename": upload.file_name,
            "bytes": upload.size,
            "id": digits_of(str(upload.pk)),
        }
        return Reply(status=200, body=body, headers={"Trace-Id": trace_id})


class MaasUpload(MurekaUpload):
    dialect = MUREKA_MAAS

    @shapes.upload_at_endpoint
    def post(self, request: Request, endpoint: str) -> HttpResponse:
        slug = in_path({"endpoint": endpoint}, "endpoint", missing="not_found") or ""
        try:
            find_endpoint(organization=self.caller.organization, slug=slug)
        except EndpointNotFound as missing:
            raise Refusal("not_found", missing.message) from None
        return self.taken(request)


class OfficialUpload(MurekaUpload):
    dialect = MUREKA_OFFICIAL

    @shapes.upload
    def post(self, request: Request) -> HttpResponse:
        return self.taken(request)
