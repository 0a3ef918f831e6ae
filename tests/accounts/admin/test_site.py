from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.admin.site import TuttiAdminSite
from accounts.models import ApiKey, Membership, Organization, Role, User
from accounts.services.api_keys import issue_key
from accounts.services.organizations import add_member


def browser_of(user: User, **options: Any) -> Client:
    client = Client(**options)
    client.force_login(user)
    return client


def refusal_in(answer: Any) -> str:
    assert answer.status_code == 403
    [sentence] = re.findall(r"<h1>No access</h1>\s*<p>([^<]+)</p>", answer.content.decode())
    return str(sentence)


@pytest.mark.parametrize("path", ["/admin", "/admin/"])
@pytest.mark.django_db
def test_stranger_is_sent_to_the_portals_sign_in_and_back(client: Client, path: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer["Location"]) == (302, f"/sign-in?next={path.replace('/', '%2F')}")


@pytest.mark.parametrize("path", ["/admin/login/", "/admin/logout/", "/admin/password_change/", "/admin/autocomplete/"])
def test_admin_has_no_sign_in_of_its_own(owner: Membership, path: str) -> None:
    assert browser_of(owner.user).get(path).status_code == 404


@pytest.mark.parametrize("path", ["/admin", "/admin/"])
@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN, Role.BILLING])
def test_roles_that_hold_the_word_enter(studio: Organization, ada: User, role: str, path: str) -> None:
    add_member(organization=studio, user=ada, role=role)

    answer = browser_of(ada).get(path)

    assert answer.status_code == 200
    assert "ada@example.com" in answer.content.decode()


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_other_roles_are_told_why_they_may_not(studio: Organization, ada: User, role: str) -> None:
    add_member(organization=studio, user=ada, role=role)

    told = refusal_in(browser_of(ada).get("/admin/"))

    assert told == "The admin is for those who hold the permission `admin.enter` in an organization that is not frozen."


def test_one_organization_that_grants_the_word_is_enough(
    studio: Organization, other_studio: Organization, ada: User
) -> None:
    add_member(organization=studio, user=ada, role=Role.VIEWER)
    add_member(organization=other_studio, user=ada, role=Role.BILLING)

    assert browser_of(ada).get("/admin/").status_code == 200


def test_person_without_an_organization_is_turned_away(ada: User) -> None:
    assert refusal_in(browser_of(ada).get("/admin/"))


def test_frozen_organization_lets_nobody_in(owner: Membership) -> None:
    browser = browser_of(owner.user)
    Organization.objects.filter(pk=owner.organization_id).update(frozen_at=timezone.now())

    assert refusal_in(browser.get("/admin/"))


def test_person_who_is_no_longer_active_is_a_stranger(owner: Membership) -> None:
    browser = browser_of(owner.user)
    User.objects.filter(pk=owner.user_id).update(is_active=False)

    assert browser.get("/admin/").status_code == 302


def test_right_that_was_taken_away_is_gone_at_once(owner: Membership) -> None:
    browser = browser_of(owner.user)
    assert browser.get("/admin/").status_code == 200

    Membership.unscoped.update(role=Role.MEMBER)

    assert browser.get("/admin/").status_code == 403


def test_key_does_not_enter(client: Client, issued: tuple[ApiKey, str]) -> None:
    assert client.get("/admin/", headers={"authorization": f"Bearer {issued[1]}"}).status_code == 302


def test_change_needs_the_csrf_token(owner: Membership) -> None:
    assert browser_of(owner.user, enforce_csrf_checks=True).post("/admin/").status_code == 403


def test_what_a_page_reads_while_it_renders_is_read_in_scope(
    owner: Membership, issued: tuple[ApiKey, str], other_studio: Organization
) -> None:
    issue_key(organization=other_studio, member=None, name="theirs", live=True)

    def page(request: HttpRequest) -> TemplateResponse:
        seen = {"message": lambda: f"{ApiKey.objects.count()} key"}
        return TemplateResponse(request, "accounts/turned_away.html", seen)

    request = RequestFactory().get("/admin/keys/")
    request.user = owner.user

    assert b"<p>1 key</p>" in admin.site.admin_view(page)(request).content


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS"])
def test_admin_has_no_other_methods(owner: Membership, method: str) -> None:
    answer = browser_of(owner.user).generic(method, "/admin/")

    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, POST")


def test_signing_out_is_the_portals(owner: Membership) -> None:
    page = browser_of(owner.user).get("/admin/").content.decode()

    assert re.findall(r'<form id="logout-form" method="post" action="([^"]+)"', page) == ["/sign-out"]


def test_pages_are_kept_out_of_caches_and_frames_and_run_our_scripts_alone(owner: Membership) -> None:
    answer = browser_of(owner.user).get("/admin/")

    assert "no-store" in answer["Cache-Control"]
    policy = answer["Content-Security-Policy"]
    assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} <= set(policy.split("; "))
    assert "unsafe" not in policy
    page = answer.content.decode()
    assert re.findall(r"<script(?![^>]* src=)[^>]*>|\sstyle=|\son\w+=|<style", page) == []


def test_scripts_of_the_admin_are_served(client: Client) -> None:
    assert client.get("/static/admin/js/theme.js").status_code == 200


def test_only_scoped_admins_can_be_registered() -> None:
    assert isinstance(admin.site, TuttiAdminSite)
    for stray in (None, admin.ModelAdmin):
        with pytest.raises(ImproperlyConfigured, match="is no OrganizationAdmin"):
            TuttiAdminSite().register(User, stray)
