from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class TransferKind(models.TextChoices):
    TOPUP = "topup"
    WITHDRAWAL = "withdrawal"
    HOLD = "hold"
    CHARGE = "charge"
    RELEASE = "release"
    COST = "cost"


class Transfer(models.Model):
    """One immutable movement of micro-credits: out of `debit`, into `credit`.

    A row is both entries of the double entry, so the books cannot be unbalanced. Rows of one `group` were written in
    one transaction. Triggers move the balances and refuse every change of a row, by raw SQL too.
    """

    key = models.CharField(max_length=200, unique=True)
    group = models.UUIDField(db_index=True)
    kind = models.CharField(max_length=20, choices=TransferKind.choices)
    debit = models.ForeignKey("billing.Account", on_delete=models.PROTECT, related_name="debits")
    credit = models.ForeignKey("billing.Account", on_delete=models.PROTECT, related_name="credits")
    amount = models.BigIntegerField()
    reference = models.UUIDField(null=True, db_index=True)
    """The job this moved for; a plain column, because money does not know work."""
    model = models.CharField(max_length=100, blank=True)
    api_key = models.ForeignKey("accounts.ApiKey", null=True, on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey("accounts.Membership", null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="billing_transfer_amount_is_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(name="billing_transfer_moves_between_two", condition=~Q(debit=F("credit"))),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.amount}"
