from __future__ import annotations

import pytest

from generation.providers.multipart import Form, FormFile, safe_file_name
from tests.contracts.providers.standin import body_of


def test_form_is_read_back_as_it_was_given() -> None:
    audio = b"ID3\r\n--not the boundary\r\n\r\n\x00\xff\r\n"
    form = Form(
        texts={"purpose": "vocal"}, files={"file": FormFile(name='../../Мой "song".mp3', format="mp3", data=audio)}
    )

    body, content_type = form.encoded()

    read = body_of(body, content_type)
    assert read["purpose"] == "vocal"
    assert {name: read["file"][name] for name in ("file_name", "content_type", "size")} == {
        "file_name": "song.mp3",
        "content_type": "audio/mpeg",
        "size": len(audio),
    }
    assert audio in body


@pytest.mark.parametrize(
    ("name", "extension", "safe"),
    [
        ("song.mp3", "mp3", "song.mp3"),
        ("song.wav", "mp3", "song.mp3"),
        ("no extension", "m4a", "no_extension.m4a"),
        ("C:\\songs\\mine.v2.mid", "mid", "mine.v2.mid"),
        ('a"\r\nX-Evil: yes\r\n\r\n.mp3', "mp3", "a_X-Evil_yes.mp3"),
        ("歌.mp3", "mp3", "audio.mp3"),
        ("....", "mp3", "audio.mp3"),
        ("", "", "audio.bin"),
        ("x" * 500, "mp3", "x" * 60 + ".mp3"),
    ],
)
def test_file_name_is_plain_and_keeps_what_can_be_kept(name: str, extension: str, safe: str) -> None:
    assert safe_file_name(name, extension) == safe


def test_two_forms_have_two_boundaries() -> None:
    form = Form(texts={"purpose": "audio"}, files={})

    assert form.encoded()[1] != form.encoded()[1]
