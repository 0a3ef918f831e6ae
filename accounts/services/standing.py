"""Who may act at all, before any permission word is asked for."""

from __future__ import annotations

from accounts.models import Organization, User


class MayNotAct(Exception):
    """Known, but not allowed to act; the message says why."""


class FrozenOrganization(MayNotAct):
    def __init__(self) -> None:
        super().__init__("This organization is frozen.")


class InactiveUser(MayNotAct):
    def __init__(self) -> None:
        super().__init__("The user this call acts for is not active.")


class NoMembership(MayNotAct):
    def __init__(self) -> None:
        super().__init__("You belong to no organization.")


def require_good_standing(organization: Organization, user: User | None) -> None:
    """Raises FrozenOrganization or InactiveUser."""
    if organization.is_frozen:
        raise FrozenOrganization
    if user is not None and not user.is_active:
        raise InactiveUser
