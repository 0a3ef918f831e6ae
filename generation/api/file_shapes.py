"""What the published schema says of uploads, on every wire that takes them."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import OpenApiParameter

from generation.api.components import MOMENT, TEXT, TRUTH, UUID, WHOLE, listed, ref, said, thing
from generation.api.shapes import QUERY, gives, operation
from generation.api.shapes import said as answers_with
from generation.audio.purposes import MOST_BYTES, RULES
from generation.dialects.base import CAUSES

FORM: Final = "multipart/form-data"
IN_A_FORM: Final = ("malformed_json", "missing_parameter", "invalid_parameter", "body_too_large", "busy")
PURPOSES: Final = {"enum": list(RULES)}
_RULES: Final = "; ".join(f"{purpose}: {rule}" for purpose, rule in RULES.items())

UPLOAD: Final = thing(
    {
        "file": {
            "type": "string",
            "contentMediaType": "application/octet-stream",
            "description": f"At most {MOST_BYTES:,} bytes. {_RULES}. Longer is trimmed, shorter refused.",
        },
        "purpose": PURPOSES,
    }
)
LINKED: Final = thing(
    {
        "url": said(TEXT, "An address on the public internet, from which the file is fetched now, without any key"),
        "purpose": PURPOSES,
    },
    {"filename": said(TEXT, "What the file is called; the last part of the address where this is absent")},
)
SENT: Final = {"bytes": said(WHOLE, "As it was sent"), "created_at": MOMENT, "filename": TEXT, "purpose": PURPOSES}
FILE_COMPONENTS: Final[dict[str, dict[str, Any]]] = {
    "DeletedFile": thing({"id": UUID, "object": {"const": "file"}, "deleted": {"const": True, **TRUTH}}),
    "File": thing({"id": UUID, "object": {"const": "file"}, **SENT}),
    "FileList": listed(ref("File")),
    "MurekaFile": thing({"trace_id": TEXT, **SENT, "id": said(TEXT, "Digits")}),
    "LinkedUpload": LINKED,
    "Upload": UPLOAD,
}

upload_file = operation(
    "upload_file",
    "Upload a file that songs may lean on",
    gives("File", "The file"),
    tag="files",
    takes="Upload",
    media_type=FORM,
    or_takes="LinkedUpload",
    codes=(*IN_A_FORM, "concurrency_limit_exceeded"),
)
list_files = operation(
    "list_files",
    "Files, newest first",
    gives("FileList", "A page of files"),
    tag="files",
    parameters=[
        OpenApiParameter("limit", int, QUERY, description="1-100 (20)"),
        OpenApiParameter("after", str, QUERY, description="The `next` of the page before"),
        OpenApiParameter("purpose", str, QUERY, enum=list(RULES)),
    ],
    codes=("invalid_parameter", "not_found"),
)
read_file = operation("read_file", "A file", gives("File", "The file"), tag="files", codes=("not_found",))
delete_file = operation(
    "delete_file",
    "Remove a file; not while a song that leans on it is being made",
    gives("DeletedFile", "It is gone"),
    tag="files",
    codes=("not_found", "invalid_parameter"),
)
read_file_content = operation(
    "read_file_content",
    "What we made of a file, to be saved",
    {(200, "audio/*"): answers_with(TEXT, "M4A, or MIDI; never the bytes that were sent")},
    tag="files",
    codes=("not_found",),
)
upload_at_endpoint = operation(
    "upload_mureka_file_at_endpoint",
    "Upload a file that songs may lean on",
    gives("MurekaFile", "The file"),
    tag="mureka",
    takes="Upload",
    media_type=FORM,
    codes=(*IN_A_FORM, "not_found"),
    causes=CAUSES,
    error="MurekaMaasError",
)
upload = operation(
    "upload_mureka_file",
    "Upload a file that songs may lean on, by the vendor's own path",
    gives("MurekaFile", "The file"),
    tag="mureka",
    takes="Upload",
    media_type=FORM,
    codes=IN_A_FORM,
    causes=CAUSES,
    error="MurekaError",
)
