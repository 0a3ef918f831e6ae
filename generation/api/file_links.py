"""Files that callers name by their address, as the body of `POST /v1/files` says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from generation.dialects.reading import Fields
from generation.services.fetch_file import URL
from generation.services.uploads import known_purpose

PURPOSE, FILE_NAME = "purpose", "filename"
LONGEST_URL: Final = 2048
LONGEST_NAME: Final = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedFile:
    url: str
    purpose: str
    file_name: str


def read_link(body: Mapping[str, Any]) -> AskedFile:
    """Which file is meant. Raises Refusal."""
    fields = Fields(body)
    for name in (URL, PURPOSE):
        fields.required_text(name)
    url, purpose = fields.text(URL, longest=LONGEST_URL) or "", fields.text(PURPOSE) or ""
    file_name = fields.text(FILE_NAME, longest=LONGEST_NAME) or _name_in(url)
    return AskedFile(url=url, purpose=known_purpose(purpose), file_name=file_name)


def _name_in(url: str) -> str:
    """The last part of the path; nothing for an address that is none."""
    try:
        return unquote(urlsplit(url).path.rpartition("/")[2])
    except ValueError:
        return ""
