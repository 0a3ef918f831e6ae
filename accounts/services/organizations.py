from __future__ import annotations

from collections.abc import Collection

from django.db import transaction

from accounts.models import Membership, Organization, Role, User
from accounts.permissions import CUSTOMER, KINDS


@transaction.atomic
def create_organization(
    *,
    name: str,
    slug: str,
    parent: Organization | None = None,
    kinds: Collection[str] = (CUSTOMER,),
    owner: User | None = None,
) -> Organization:
    """A new organization under its seller `parent`, of one or several kinds, with its first owner where one is known.

    Raises ValueError for no kind or an unknown one, IntegrityError for a slug that is taken.
    """
    if not kinds or not set(kinds) <= set(KINDS):
        raise ValueError(f"an organization is of one or several of these kinds: {', '.join(KINDS)}")
    flags = {f"is_{kind}": kind in kinds for kind in KINDS}
    organization = Organization.objects.create(name=name, slug=slug, parent=parent, **flags)
    if owner is not None:
        add_member(organization=organization, user=owner, role=Role.OWNER)
    return organization


def add_member(*, organization: Organization, user: User, role: str) -> Membership:
    """Raises ValueError for an unknown role, IntegrityError for someone who is a member already."""
    if role not in Role.values:
        raise ValueError(f"no such role: {role}")
    # The organization is named here; commands and sign-up call this where no scope is entered.
    return Membership.unscoped.create(organization=organization, user=user, role=role)
