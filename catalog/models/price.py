from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q


class Unit(models.TextChoices):
    SONG = "song"
    SECOND = "second"
    REQUEST = "request"
    THOUSAND_TOKENS = "1k tokens"


class PriceProgram(models.Model):
    """A named set of dated prices: what a seller asks, or what a provider asks of the seller."""

    owner = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="price_programs")
    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.name


class PriceQuerySet(models.QuerySet["Price"]):
    def valid_at(self, moment: datetime) -> Self:
        return self.filter(valid_from__lte=moment).filter(Q(valid_until__isnull=True) | Q(valid_until__gt=moment))


class Price(models.Model):
    """One dated price of a program. A change of price ends this row and begins another."""

    program = models.ForeignKey(PriceProgram, on_delete=models.CASCADE, related_name="prices")
    unit = models.CharField(max_length=20, choices=Unit.choices)
    amount_micro = models.BigIntegerField()
    """Micro-credits per unit."""
    filters = models.JSONField(default=dict, blank=True)
    """Which orders it is for; all names must match. Empty: every order."""
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True)

    objects = PriceQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(name="price_is_not_negative", condition=Q(amount_micro__gte=0)),
            models.CheckConstraint(name="price_unit_is_known", condition=Q(unit__in=Unit.values)),
            models.CheckConstraint(
                name="price_ends_after_it_begins",
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_micro} per {self.unit}"
