from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from accounts.tenancy import TenantRow


class Hold(TenantRow):
    """Credits set aside for one job. Settled exactly once: part is charged, the rest released."""

    reference = models.UUIDField(unique=True)
    live = models.BooleanField()
    amount = models.BigIntegerField()
    api_key = models.ForeignKey("accounts.ApiKey", null=True, on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey("accounts.Membership", null=True, on_delete=models.PROTECT, related_name="+")
    model = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    deadline = models.DateTimeField()
    """A hold still open after this moment is a defect the reconciliation shows."""
    charged = models.BigIntegerField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta(TenantRow.Meta):
        constraints = [
            models.CheckConstraint(name="billing_hold_amount_is_not_negative", condition=Q(amount__gte=0)),
            models.CheckConstraint(
                name="billing_hold_charge_within_amount",
                condition=Q(charged__isnull=True) | Q(charged__gte=0, charged__lte=F("amount")),
            ),
            models.CheckConstraint(
                name="billing_hold_settled_with_charge",
                condition=Q(charged__isnull=True, settled_at__isnull=True)
                | Q(charged__isnull=False, settled_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(name="billing_hold_open", fields=["deadline"], condition=Q(settled_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"hold of {self.amount} for {self.reference}"
