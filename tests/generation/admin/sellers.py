"""Two sellers with upstreams, and a customer of one of them, as browsers meet them."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from django.test import Client

from accounts.models import Organization
from catalog.models import Upstream
from tests.generation.worlds import World, caller_of

CREDENTIAL = "sk-MARKER-credential"
ADDRESS = "https://MARKER-user:MARKER-word@api.vendor.example:8443/MARKER-path?key=MARKER-query"


@dataclass(frozen=True)
class Market:
    world: World
    ours: Upstream
    rival: Organization
    theirs: Upstream


def browser_as(role: str, organization: Organization) -> Client:
    member = caller_of(organization, role=role).member
    assert member is not None
    client = Client()
    client.force_login(member.user)
    return client


def upstream_of(organization: Organization, slug: str) -> Upstream:
    return Upstream.unscoped.create(
        organization=organization,
        slug=slug,
        name=slug.title(),
        provider="minimax",
        base_url=ADDRESS,
        credential=CREDENTIAL,
        credential_env="MARKER_ENV",
    )


def markers(page: bytes) -> list[bytes]:
    """What of the credential and the address can be found, in plain or encoded."""
    told = [b"MARKER", CREDENTIAL.encode(), base64.b64encode(CREDENTIAL.encode()), b"gAAAA"]
    return [marker for marker in told if marker in page]
