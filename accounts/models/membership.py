from __future__ import annotations

from django.db import models

from accounts.permissions import words_in, words_of
from accounts.tenancy import TenantRow


class Role(models.TextChoices):
    OWNER = "owner"
    ADMIN = "admin"
    BILLING = "billing"
    MEMBER = "member"
    VIEWER = "viewer"


class Membership(TenantRow):
    """A user in an organization, with the role that gives rights."""

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantRow.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organization", "user"], name="membership_is_unique"),
            models.CheckConstraint(name="membership_role_is_known", condition=models.Q(role__in=Role.values)),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} is {self.role} of {self.organization_id}"

    @property
    def words(self) -> frozenset[str]:
        return words_of(self.role) & words_in(self.organization.kinds)
