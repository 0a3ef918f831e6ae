from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from accounts.models import ApiKey, Membership, Organization, Role, User
from accounts.services.api_keys import UnknownKey, authenticate_key, revoke_key
from accounts.tenancy import scope, system_scope
from billing.models import Transfer
from billing.services.credits import Balance, balance_of, set_available
from catalog.capabilities import Capabilities, Limits
from catalog.models import LlmMapping
from catalog.services.lookup import find_offer, offers_visible_to
from catalog.services.quote import quote

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def demo_data(*arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command("demo_data", "--json", *arguments, stdout=out)
    described: dict[str, Any] = json.loads(out.getvalue().splitlines()[-1])
    return described


def balance(secret: str) -> Balance:
    caller = authenticate_key(secret)
    with scope(caller.organization):
        return balance_of(caller.organization.pk, caller.live)


def price_of(model: str, slug: str = "limited") -> int:
    organization = Organization.objects.get(slug=slug)
    return _dearest(find_offer(organization=organization, catalog="music_gen", model=model), organization)


def _dearest(offer: LlmMapping, organization: Organization) -> int:
    is_exact = Capabilities.from_json(offer.llm.capabilities).duration == "exact"
    longest = Limits.from_json(offer.llm.limits).duration_seconds.maximum
    order: dict[str, Any] = {
        "takes": 1,
        "duration_seconds": longest if is_exact else None,
        "format": "mp3",
        "instrumental": False,
    }
    return quote(offer, organization=organization, at=timezone.now(), **order).amount_micro


def test_last_line_is_the_agreed_object(settings: Settings) -> None:
    settings.BASE_URL = "http://127.0.0.1:8123"

    demo = demo_data()

    assert list(demo) == ["base_url", "admin", "customer", "keys", "endpoints", "models"]
    assert demo["base_url"] == "http://127.0.0.1:8123"
    assert list(demo["admin"]) == list(demo["customer"]) == ["email", "password"]
    assert list(demo["keys"]) == ["funded", "empty", "limited", "test", "other_org"]
    assert demo["models"] == [
        "MaaS_Lyria_3_pro_preview",
        "MaaS_Mureka_o2",
        "MaaS_Mureka_v7.6",
        "music-1.5",
        "music-2.0",
        "music-2.5",
        "music-2.6",
        "music-2.6-free",
        "music-3.0",
        "music-3.0-free",
        "musicgen-small",
        "rehearsal",
    ]


def test_endpoints_are_those_of_their_models() -> None:
    endpoints = demo_data()["endpoints"]

    models = {name: LlmMapping.objects.get(endpoint_slug=slug).llm.public_name for name, slug in endpoints.items()}
    assert models == {"lyria": "MaaS_Lyria_3_pro_preview", "mureka": "MaaS_Mureka_v7.6", "mureka_o2": "MaaS_Mureka_o2"}


def test_logins_open_and_own_their_organizations() -> None:
    demo = demo_data()

    for who, slug in (("admin", "tutti"), ("customer", "demo")):
        user = User.objects.get(email=demo[who]["email"])
        assert user.check_password(demo[who]["password"])
        [member] = Membership.unscoped.filter(user=user).select_related("organization")
        assert (member.organization.slug, member.role) == (slug, Role.OWNER)
    assert Organization.objects.get(slug="tutti").is_platform


def test_keys_act_for_their_organizations() -> None:
    callers = {name: authenticate_key(secret) for name, secret in demo_data()["keys"].items()}

    assert {name: (caller.organization.slug, caller.live) for name, caller in callers.items()} == {
        "funded": ("demo", True),
        "empty": ("empty", True),
        "limited": ("limited", True),
        "test": ("demo", False),
        "other_org": ("other", True),
    }
    assert all(caller.may("generation.create") for caller in callers.values())


def test_funded_and_test_can_pay_100_000_songs_of_every_model() -> None:
    keys = demo_data()["keys"]

    customer = Organization.objects.get(slug="demo")
    dearest = max(_dearest(offer, customer) for offer in offers_visible_to(customer))
    assert balance(keys["funded"]) == balance(keys["test"]) == Balance(100_000 * dearest, 0)


def test_limited_holds_exactly_37_songs_of_music_2_6() -> None:
    keys = demo_data()["keys"]

    assert price_of("music-2.6") > 0
    assert balance(keys["limited"]) == Balance(37 * price_of("music-2.6"), 0)


def test_empty_has_nothing() -> None:
    assert balance(demo_data()["keys"]["empty"]) == Balance(0, 0)


def test_second_run_prints_the_same_and_writes_nothing() -> None:
    first = demo_data()
    rows = ApiKey.unscoped.count(), User.objects.count(), Organization.objects.count(), Transfer.objects.count()

    assert demo_data() == first
    assert rows == (
        ApiKey.unscoped.count(),
        User.objects.count(),
        Organization.objects.count(),
        Transfer.objects.count(),
    )


def test_second_run_leaves_spent_credits_spent_and_reset_restores_them() -> None:
    keys = demo_data()["keys"]
    wallets = {"limited": 5, "empty": 7, "funded": 9, "test": 11, "other_org": 13}
    at_first = {name: balance(keys[name]) for name in wallets}
    for name, amount in wallets.items():
        caller = authenticate_key(keys[name])
        with system_scope():
            set_available(organization_id=caller.organization.pk, live=caller.live, amount_micro=amount, reason="spent")

    demo_data()
    assert {name: balance(keys[name]).available_micro for name in wallets} == wallets

    demo_data("--reset")
    assert {name: balance(keys[name]) for name in wallets} == at_first


def test_first_run_may_be_a_reset() -> None:
    keys = demo_data("--reset")["keys"]

    assert balance(keys["limited"]) == Balance(37 * price_of("music-2.6"), 0)


def test_run_after_a_change_of_price_keeps_what_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = demo_data()["keys"]
    before = balance(keys["limited"])
    monkeypatch.setattr("generation.services.demo.LIMITED_SONGS", 40)

    demo_data()

    assert balance(keys["limited"]) == before


def test_revoked_key_acts_again_after_a_run() -> None:
    secret = demo_data()["keys"]["funded"]
    revoke_key(key=ApiKey.unscoped.get(name="Demo key: funded"))
    with pytest.raises(UnknownKey):
        authenticate_key(secret)

    demo_data()

    assert authenticate_key(secret).organization.slug == "demo"


def test_another_installation_has_other_secrets(settings: Settings) -> None:
    first = demo_data()
    settings.SECRET_KEY = "another secret key of another installation 0123456789"

    second = demo_data()

    assert not set(first["keys"].values()) & set(second["keys"].values())
    assert first["customer"]["password"] != second["customer"]["password"]


def test_production_is_refused_before_anything_is_written(settings: Settings) -> None:
    settings.PRODUCTION = True

    with pytest.raises(CommandError, match="refused in production"):
        demo_data()

    assert not Organization.objects.exists()


def test_without_json_people_can_read_it() -> None:
    out = StringIO()
    call_command("demo_data", stdout=out)

    lines = out.getvalue().splitlines()
    assert lines[1].startswith("admin: admin@tutti.example ")
    assert lines[-1].startswith("models: MaaS_Lyria_3_pro_preview, ")
