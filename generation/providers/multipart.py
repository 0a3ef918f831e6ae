"""A form with files, as `multipart/form-data` (RFC 7578)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

MEDIA_TYPES: Final = {
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "mid": "audio/midi",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "opus": "audio/ogg",
}
LONGEST_STEM: Final = 60
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormFile:
    """A file of a form. `format` is its extension, without the dot; the file is sent under a name that is safe."""

    name: str
    format: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Fields of a form by their names; the names are ours, the values and files are not."""

    texts: Mapping[str, str]
    files: Mapping[str, FormFile]

    def encoded(self) -> tuple[bytes, str]:
        """The body, and the Content-Type that goes with it."""
        boundary = uuid.uuid4().hex
        parts = [_text_part(name, text) for name, text in self.texts.items()]
        parts += [_file_part(name, file) for name, file in self.files.items()]
        return _joined(parts, boundary), f"multipart/form-data; boundary={boundary}"


def _joined(parts: Sequence[bytes], boundary: str) -> bytes:
    opened = b"".join(b"--%s\r\n%s\r\n" % (boundary.encode(), part) for part in parts)
    return opened + b"--%s--\r\n" % boundary.encode()


def _text_part(name: str, text: str) -> bytes:
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n{text}'.encode()


def _file_part(name: str, file: FormFile) -> bytes:
    file_name = safe_file_name(file.name, file.format)
    media_type = MEDIA_TYPES.get(file.format, "application/octet-stream")
    head = (
        f'Content-Disposition: form-data; name="{name}"; filename="{file_name}"\r\nContent-Type: {media_type}\r\n\r\n'
    )
    return head.encode() + file.data


def safe_file_name(name: str, extension: str) -> str:
    """A file name of plain letters without folders, quotes or line ends, under the extension that is given."""
    last = name.replace("\\", "/").rpartition("/")[2]
    stem = last.rpartition(".")[0] or last
    plain = _UNSAFE.sub("_", stem).strip("._-")[:LONGEST_STEM]
    return f"{plain or 'audio'}.{_UNSAFE.sub('', extension) or 'bin'}"
