from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from generation.contract import Refusal
from generation.services.links import open_link, open_stream, sign_link, sign_stream

TRACK = uuid.UUID("01890a5d-ac96-774b-bcce-b302099a8057")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAME = "walking-song-1.mp3"


@pytest.fixture(autouse=True)
def noon():
    with time_machine.travel(NOW, tick=False):
        yield


def signed(file_name: str = NAME) -> tuple[str, str]:
    """Token and file name of a link that lives a week."""
    link = sign_link(
        TRACK, file_name=file_name, expires_at=NOW + timedelta(days=7), base_url="https://music.example.org"
    )
    *_, token, name = link.split("/")
    return token, name


def test_a_link_is_absolute_and_ends_in_the_file_name():
    link = sign_link(TRACK, file_name=NAME, expires_at=NOW, base_url="https://music.example.org")

    assert link.startswith("https://music.example.org/v1/audio/")
    assert link.endswith(f"/{NAME}")


def test_a_link_opens_to_its_track():
    assert open_link(*signed()) == TRACK


def test_a_link_opens_until_its_last_second():
    token, name = signed()

    with time_machine.travel(NOW + timedelta(days=7, seconds=-1), tick=False):
        assert open_link(token, name) == TRACK


def test_a_link_that_has_ended_is_not_found():
    token, name = signed()

    with time_machine.travel(NOW + timedelta(days=7), tick=False), pytest.raises(Refusal) as refused:
        open_link(token, name)
    assert refused.value.code == "not_found"


@pytest.mark.parametrize("place", range(3))
def test_a_link_with_a_changed_character_is_not_found(place):
    token, name = signed()
    other = "A" if token[place] != "A" else "B"

    with pytest.raises(Refusal):
        open_link(token[:place] + other + token[place + 1 :], name)


def test_a_link_with_another_file_name_is_not_found():
    token, _ = signed()

    with pytest.raises(Refusal):
        open_link(token, "other-song-1.mp3")


@pytest.mark.parametrize("token", ["", ".", "x", "AAAA.", "ÄÖ.ß", "a.b.c", "%00.%00"])
def test_a_made_up_token_is_not_found(token):
    with pytest.raises(Refusal):
        open_link(token, NAME)


def test_a_link_signed_with_another_key_is_not_found(settings):
    token, name = signed()
    settings.SECRET_KEY = "another-secret-key-of-the-right-length-0123456789"

    with pytest.raises(Refusal):
        open_link(token, name)


def test_a_link_signed_before_the_key_was_changed_still_opens(settings):
    token, name = signed()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-secret-key-of-the-right-length-0123456789"

    assert open_link(token, name) == TRACK


def signed_stream(take: int = 2) -> tuple[str, str]:
    """Token and file name of a link to a growing take that lives a month."""
    link = sign_stream(
        TRACK, take, file_name=NAME, expires_at=NOW + timedelta(days=31), base_url="https://music.example.org"
    )
    assert link.startswith("https://music.example.org/v1/audio/stream/")
    *_, token, name = link.split("/")
    return token, name


@pytest.mark.parametrize("take", [0, 2, 300])
def test_a_stream_link_opens_to_its_job_and_take(take):
    assert open_stream(*signed_stream(take)) == (TRACK, take)


def test_a_stream_link_opens_until_its_last_second():
    token, name = signed_stream()

    with time_machine.travel(NOW + timedelta(days=31, seconds=-1), tick=False):
        assert open_stream(token, name) == (TRACK, 2)
    with time_machine.travel(NOW + timedelta(days=31), tick=False), pytest.raises(Refusal):
        open_stream(token, name)


@pytest.mark.parametrize("place", range(0, 31, 3))
def test_a_stream_link_with_a_changed_character_is_not_found(place):
    token, name = signed_stream()
    other = "A" if token[place] != "A" else "B"

    with pytest.raises(Refusal):
        open_stream(token[:place] + other + token[place + 1 :], name)


def test_a_stream_link_with_another_file_name_is_not_found():
    token, _ = signed_stream()

    with pytest.raises(Refusal):
        open_stream(token, "other-song-1.mp3")


def test_a_link_of_one_kind_does_not_open_the_other():
    with pytest.raises(Refusal):
        open_link(*signed_stream())
    with pytest.raises(Refusal):
        open_stream(*signed())
