from __future__ import annotations

import html
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Membership, Organization, Role
from accounts.tenancy import system_scope
from generation.models import Job, Track
from generation.services.cancel import cancel_job
from generation.services.links import open_link
from tests.generation.texts import delivered, ordered_text, sell_texts
from tests.generation.worlds import World, caller_of, finished, submitted, wav

Queries = Callable[[int], AbstractContextManager[Any]]


def text_of(page: str) -> str:
    """What a reader sees: tags out, white space folded."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page.split("<body>")[1]))).strip()


def page_of(browser: Client) -> str:
    answer = browser.get("/songs")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.django_db
def test_front_door_is_open_to_everyone(client: Client) -> None:
    answer = client.get("/")

    page = answer.content.decode()
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "Every music model, all together" in text_of(page)
    assert {'href="/sign-in"', 'href="/docs"'} <= set(re.findall(r'href="/[a-z-]+"', page))


def test_front_door_leads_the_signed_in_to_their_songs(browser: Client) -> None:
    assert browser.get("/").headers["Location"] == "/songs"


@pytest.mark.parametrize("path", ["/songs", "/songs/"])
@pytest.mark.django_db
def test_songs_send_a_stranger_to_sign_in_and_back(client: Client, path: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer["Location"]) == (302, f"/sign-in?next=%2F{path[1:].replace('/', '%2F')}")


def test_songs_name_the_organization_and_its_credits(browser: Client, world: World) -> None:
    with system_scope():
        submitted(world)

    assert "Customer Available 22.50 credits Held 2.50 credits Songs" in text_of(page_of(browser))


def test_song_in_hand_shows_what_is_held_for_it(browser: Client, world: World) -> None:
    with system_scope():
        submitted(world, prompt="rain on tin\nslow and low")

    page = text_of(page_of(browser))
    assert "rain on tin queued test-song" in page
    assert "2.50 credits held" in page
    assert "slow and low" not in page


def test_delivered_song_is_played_by_a_signed_link(browser: Client, world: World) -> None:
    with system_scope():
        finished(submitted(world, prompt="rain on tin"), wav(2.0))
        [track] = Track.objects.all()

    page = page_of(browser)

    [player] = re.findall(r"<audio [^>]*>", page)
    assert 'controls preload="none"' in player
    [link] = re.findall(r'src="(/v1/audio/[^"]+)"', player)
    *_, token, file_name = link.split("/")
    assert open_link(token, file_name) == track.pk
    seen = text_of(page)
    assert "rain on tin succeeded test-song" in seen
    assert "2.50 credits MP3 0:02" in seen


def test_every_delivered_take_has_its_player(browser: Client, world: World) -> None:
    with system_scope():
        finished(submitted(world, takes=2), wav(), wav())

    assert re.findall(r'aria-label="(Take \d)"', page_of(browser)) == ["Take 1", "Take 2"]


def test_cancelled_song_costs_nothing_and_has_no_player(browser: Client, world: World) -> None:
    with system_scope():
        job = submitted(world)
        cancel_job(job.pk, caller=world.caller)

    page = page_of(browser)
    assert "<audio" not in page
    assert re.search(r"a quiet song cancelled test-song .* UTC 0\.00 credits", text_of(page))


def test_test_song_is_marked(browser: Client, world: World) -> None:
    with system_scope():
        job = submitted(world)
        Job.objects.filter(pk=job.pk).update(live=False)

    assert "a quiet song queued test test-song" in text_of(page_of(browser))


def test_newest_song_comes_first_and_fifty_are_shown(
    browser: Client, world: World, django_assert_num_queries: Queries
) -> None:
    with system_scope():
        first = submitted(world, prompt="song 0")
        for number in range(1, 52):
            first.pk, first.request = None, {**first.request, "prompt": f"song {number}"}
            first.id = Job._meta.pk.get_default()
            first.save(force_insert=True)

    with django_assert_num_queries(7):
        page = page_of(browser)

    assert re.findall(r">song (\d+)<", page) == [str(number) for number in range(51, 1, -1)]


def test_songs_of_another_organization_are_never_shown(browser: Client, world: World) -> None:
    with system_scope():
        other = Organization.objects.create(name="Other", slug="other", parent=world.seller)
        job = submitted(world, prompt="MARKER of another house")
        Job.objects.filter(pk=job.pk).update(organization=other)

    assert "MARKER" not in page_of(browser)


def test_page_without_songs_shows_how_to_order_one(browser: Client) -> None:
    page = text_of(page_of(browser))

    assert "No songs yet." in page
    assert "curl http://testserver/v1/music/generations" in page


@pytest.mark.parametrize(("role", "is_told"), [(Role.BILLING, True), (Role.MEMBER, False), (Role.VIEWER, False)])
def test_credits_are_shown_to_roles_that_may_read_them(world: World, role: str, is_told: bool) -> None:
    member = caller_of(world.customer, role=role).member
    assert member is not None
    browser = Client()
    browser.force_login(member.user)

    assert ("25.00" in page_of(browser)) == is_told


@pytest.mark.parametrize("field", ["prompt", "title"])
def test_what_customers_wrote_is_shown_as_text(browser: Client, world: World, field: str) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    with system_scope():
        written: dict[str, Any] = {"prompt": "p", field: evil}
        submitted(world, **written)

    page = page_of(browser)
    assert evil not in page
    assert html.escape(evil) in page


def test_song_without_words_is_untitled(browser: Client, world: World) -> None:
    with system_scope():
        job = submitted(world)
        Job.objects.filter(pk=job.pk).update(request={**job.request, "prompt": " \n "})

    assert "Untitled queued test-song" in text_of(page_of(browser))


def test_frozen_organization_is_turned_away_with_the_reason(browser: Client, world: World) -> None:
    Organization.objects.filter(pk=world.customer.pk).update(frozen_at=timezone.now())

    answer = browser.get("/songs")

    assert answer.status_code == 403
    assert text_of(answer.content.decode()).endswith("No access This organization is frozen. Back to the start")


def test_person_without_an_organization_is_turned_away_and_can_sign_out(browser: Client, world: World) -> None:
    Membership.unscoped.all().delete()

    answer = browser.get("/songs")

    assert answer.status_code == 403
    page = answer.content.decode()
    assert "You belong to no organization." in page
    assert 'action="/sign-out"' in page


def test_key_opens_no_page(client: Client, world: World) -> None:
    assert client.get("/songs", headers={"x-api-key": "tt_live_" + "A" * 43}).status_code == 302


@pytest.mark.parametrize("path", ["/", "/songs", "/sign-in"])
def test_pages_are_kept_out_of_caches_and_frames(browser: Client, path: str) -> None:
    answer = browser.get(path)

    assert "no-store" in answer["Cache-Control"]
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert "script" not in answer["Content-Security-Policy"].replace("default-src 'none'", "")


def test_style_sheet_is_served_and_small(client: Client) -> None:
    answer = client.get("/static/generation/portal.css")

    assert (answer.status_code, answer["Content-Type"].split(";")[0]) == (200, "text/css")
    assert len(answer.content) < 8_000


def test_text_that_was_ordered_alone_is_listed_by_its_prompt(browser: Client, world: World) -> None:
    with system_scope():
        sell_texts(world)
        delivered(ordered_text(world, prompt="a song of the harbour"))

    page = text_of(page_of(browser))

    assert "a song of the harbour succeeded test-words" in page
    assert "0.20 credits" in page
