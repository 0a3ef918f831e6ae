from __future__ import annotations

from collections.abc import Iterator

from django.db import models

from accounts.permissions import KINDS


class Organization(models.Model):
    """A tenant. Sellers stand above their customers in the tree."""

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=80, unique=True)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    is_platform = models.BooleanField(default=False)
    is_reseller = models.BooleanField(default=False)
    is_customer = models.BooleanField(default=True)
    is_provider = models.BooleanField(default=False)
    frozen_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="organization_has_a_kind",
                condition=models.Q(is_platform=True)
                | models.Q(is_reseller=True)
                | models.Q(is_customer=True)
                | models.Q(is_provider=True),
            ),
            models.CheckConstraint(
                name="organization_is_not_its_own_parent", condition=~models.Q(parent=models.F("id"))
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_frozen(self) -> bool:
        return self.frozen_at is not None

    @property
    def kinds(self) -> frozenset[str]:
        """What it is: any of `platform`, `reseller`, `customer`, `provider`."""
        return frozenset(kind for kind in KINDS if getattr(self, f"is_{kind}"))

    def sellers(self) -> Iterator[Organization]:
        """The organizations above this one, nearest first."""
        seen = {self.pk}
        above = self.parent
        while above is not None and above.pk not in seen:
            yield above
            seen.add(above.pk)
            above = above.parent
