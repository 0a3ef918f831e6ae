from __future__ import annotations

from django.db import models

from accounts.tenancy import TenantRow


class AccountKind(models.TextChoices):
    AVAILABLE = "available", "credits a customer may spend"
    HELD = "held", "credits set aside for work in hand"
    EARNINGS = "earnings", "what a seller earned"
    COST = "cost", "what a seller owes for what it sold"
    PAYABLE = "payable", "what a provider is owed"
    OUTSIDE = "outside", "where credits come from and go to"


FLOORED = (AccountKind.AVAILABLE, AccountKind.HELD)


class Account(TenantRow):
    """One place where micro-credits lie. Only accounts with a floor keep a balance; a trigger moves it.

    A running balance on everyone's earnings would be one hot row under every settlement, so the others are summed.
    """

    kind = models.CharField(max_length=20, choices=AccountKind.choices)
    live = models.BooleanField()
    has_floor = models.BooleanField()
    balance = models.BigIntegerField(default=0)
    last_transfer = models.BigIntegerField(default=0)
    """Id of the transfer that made this balance; 0 before the first. The guards accept no balance without one."""

    class Meta(TenantRow.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organization", "kind", "live"], name="billing_account_is_unique"),
            models.CheckConstraint(name="billing_account_floor", condition=models.Q(balance__gte=0)),
            models.CheckConstraint(
                name="billing_account_balance_only_with_floor",
                condition=models.Q(has_floor=True) | models.Q(balance=0),
            ),
            models.CheckConstraint(
                name="billing_account_floor_follows_kind",
                condition=models.Q(has_floor=True, kind__in=FLOORED)
                | (models.Q(has_floor=False) & ~models.Q(kind__in=FLOORED)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.organization_id} ({'live' if self.live else 'test'})"
