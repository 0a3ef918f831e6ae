"""Everything a demonstration needs: an offer, organizations, people, keys and credits. Never in production.

Only hashes of keys and passwords are stored, yet every run prints them: they are derived from the secret key of the
installation, so another installation has others.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

import catalog
from accounts.models import ApiKey, Membership, Organization, Role, User
from accounts.permissions import PLATFORM
from accounts.services.organizations import add_member, create_organization
from accounts.tenancy import system_scope
from billing.services.credits import set_available, top_up
from billing.services.post import KeyReused
from catalog.capabilities import Capabilities, Limits
from catalog.models import LlmMapping
from catalog.services.apply_offer import apply_offer
from catalog.services.lookup import find_offer, offers_visible_to
from catalog.services.quote import quote

OFFER: Final = Path(catalog.__file__).parent / "offers" / "demo.yaml"
CATALOG: Final = "music_gen"
FUNDED_SONGS: Final = 100_000
LIMITED_SONGS: Final = 37
LIMITED_MODEL: Final = "music-2.6"
ENDPOINTS: Final = {
    "lyria": "MaaS_Lyria_3_pro_preview",
    "mureka": "MaaS_Mureka_v7.6",
    "mureka_o2": "MaaS_Mureka_o2",
}
_REASON: Final = "demo data"


class NotInProduction(Exception):
    """Demo data would hand out known passwords and free credits."""


@dataclass(frozen=True, slots=True)
class _Party:
    """An organization of the demo and the person who owns it."""

    slug: str
    name: str
    email: str


PLATFORM_PARTY: Final = _Party("tutti", "Tutti", "admin@tutti.example")
DEMO: Final = _Party("demo", "Demo Studio", "customer@demo.example")
LIMITED: Final = _Party("limited", "Limited Studio", "owner@limited.example")
EMPTY: Final = _Party("empty", "Empty Studio", "owner@empty.example")
OTHER: Final = _Party("other", "Other Studio", "owner@other.example")
CUSTOMERS: Final = (DEMO, LIMITED, EMPTY, OTHER)
KEYS: Final = {
    "funded": (DEMO, True),
    "empty": (EMPTY, True),
    "limited": (LIMITED, True),
    "test": (DEMO, False),
    "other_org": (OTHER, True),
}
"""Whose key each one is, and whether it is live."""


def prepare_demo(*, reset: bool) -> dict[str, Any]:
    """Make the demo what it should be and describe it; a second run changes nothing.

    Credits are given once. With `reset` what is available becomes again what it was then; what is held for work in
    hand stays held. Raises NotInProduction.
    """
    if settings.PRODUCTION:
        raise NotInProduction("Demo data has known passwords and free credits: it is refused in production.")
    with transaction.atomic(), system_scope():
        platform = _organization(PLATFORM_PARTY, parent=None, kinds=[PLATFORM])
        customers = {party: _organization(party, parent=platform, kinds=["customer"]) for party in CUSTOMERS}
        apply_offer(file=OFFER)
        members = {party: _owner(party, customer) for party, customer in customers.items()}
        _owner(PLATFORM_PARTY, platform)
        _fill_wallets(customers, reset=reset)
        keys = {name: _key(name, members[party], live=live) for name, (party, live) in KEYS.items()}
        return _description(customers[DEMO], keys)


def _organization(party: _Party, *, parent: Organization | None, kinds: list[str]) -> Organization:
    found = Organization.objects.filter(slug=party.slug).first()
    return found or create_organization(name=party.name, slug=party.slug, parent=parent, kinds=kinds)


def _owner(party: _Party, organization: Organization) -> Membership:
    user = User.objects.filter(email=party.email).first() or User.objects.create_user(party.email)
    if not user.check_password(_password(party)):
        user.set_password(_password(party))
        user.save(update_fields=["password"])
    member = Membership.objects.filter(organization=organization, user=user).first()
    return member or add_member(organization=organization, user=user, role=Role.OWNER)


def _key(name: str, member: Membership, *, live: bool) -> str:
    secret = f"tt_{'live' if live else 'test'}_{_derived(f'key {name}')}"
    ApiKey.objects.update_or_create(
        # As accounts.services.api_keys finds it: a key is known by the SHA-256 of its secret.
        secret_hash=hashlib.sha256(secret.encode()).hexdigest(),
        defaults={
            "organization": member.organization,
            "member": member,
            "name": f"Demo key: {name}",
            "hint": secret[:12],
            "live": live,
            "scopes": [],
            "expires_at": None,
            "revoked_at": None,
        },
    )
    return secret


def _fill_wallets(customers: Mapping[_Party, Organization], *, reset: bool) -> None:
    plenty = FUNDED_SONGS * _dearest_song(customers[DEMO])
    few = LIMITED_SONGS * _song_price(_offer(customers[LIMITED], LIMITED_MODEL), customers[LIMITED])
    wallets = [
        (DEMO, True, plenty),
        (DEMO, False, plenty),
        (OTHER, True, plenty),
        (LIMITED, True, few),
        (EMPTY, True, 0),
    ]
    for party, live, amount in wallets:
        organization = customers[party].pk
        if reset:
            set_available(organization_id=organization, live=live, amount_micro=amount, reason=_REASON)
        elif amount:
            _give_once(organization, live=live, amount=amount)


def _give_once(organization: int, *, live: bool, amount: int) -> None:
    key = f"demo:{organization}:{'live' if live else 'test'}"
    try:
        top_up(organization_id=organization, live=live, amount_micro=amount, key=key, reason=_REASON)
    except KeyReused:
        # Given before, when prices were others.
        return


def _dearest_song(organization: Organization) -> int:
    return max(_song_price(offer, organization) for offer in offers_visible_to(organization))


def _song_price(offer: LlmMapping, organization: Organization) -> int:
    """The most that one song of this offer can cost."""
    takes_length = Capabilities.from_json(offer.llm.capabilities).duration == "exact"
    longest = Limits.from_json(offer.llm.limits).duration_seconds.maximum
    price = quote(
        offer,
        organization=organization,
        takes=1,
        duration_seconds=longest if takes_length else None,
        format="mp3",
        instrumental=False,
        at=timezone.now(),
    )
    return price.amount_micro


def _offer(organization: Organization, model: str) -> LlmMapping:
    return find_offer(organization=organization, catalog=CATALOG, model=model)


def _description(customer: Organization, keys: dict[str, str]) -> dict[str, Any]:
    sold = [offer.llm.public_name for offer in offers_visible_to(customer) if offer.catalog_id == CATALOG]
    return {
        "base_url": settings.BASE_URL,
        "admin": _login(PLATFORM_PARTY),
        "customer": _login(DEMO),
        "keys": keys,
        "endpoints": {name: _offer(customer, model).endpoint_slug for name, model in ENDPOINTS.items()},
        "models": sorted(set(sold)),
    }


def _login(party: _Party) -> dict[str, str]:
    return {"email": party.email, "password": _password(party)}


def _password(party: _Party) -> str:
    return _derived(f"password {party.slug}")[:20]


def _derived(what: str) -> str:
    """43 characters of URL-safe base64: 256 bits that only the holder of the secret key can tell."""
    digest = hmac.digest(settings.SECRET_KEY.encode(), f"tutti demo {what}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
