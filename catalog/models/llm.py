from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final, Self

from django.db import models
from django.db.models import Q

LYRICS: Final = "lyrics"
"""The operation of a mapping that sells texts, and the catalog they are sold in."""


class LlmStatus(models.TextChoices):
    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


class LlmCatalog(models.Model):
    """A kind of work (`music_gen`, `music_extend`, `lyrics`), found by id or by name."""

    id = models.SlugField(max_length=40, primary_key=True)
    name = models.CharField(max_length=100, unique=True)
    description = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name


class LlmQuerySet(models.QuerySet["Llm"]):
    def owned_by(self, owners: Iterable[int]) -> Self:
        return self.filter(owner__in=owners)

    def on_sale_at(self, moment: datetime) -> Self:
        return self.filter(status=LlmStatus.PUBLISHED).filter(
            Q(sold_from__isnull=True) | Q(sold_from__lte=moment), Q(sold_until__isnull=True) | Q(sold_until__gt=moment)
        )


class Llm(models.Model):
    """A model that is sold. An offer is no tenant row: `offers_visible_to` decides who sees it."""

    owner = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="llms")
    """Who sells it."""
    provider = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="provided_llms")
    """Who makes the songs and is paid for them."""
    public_name = models.CharField(max_length=100)
    aliases = models.JSONField(default=list, blank=True)
    upstream_model = models.CharField(max_length=100)
    """The upstream's own id of the model."""
    description = models.CharField(max_length=500, blank=True)
    status = models.CharField(max_length=20, choices=LlmStatus.choices, default=LlmStatus.DRAFT)
    sold_from = models.DateTimeField(null=True, blank=True)
    sold_until = models.DateTimeField(null=True, blank=True)
    capabilities = models.JSONField(default=dict, blank=True)
    """What it can convey: see catalog.capabilities."""
    limits = models.JSONField(default=dict, blank=True)
    """Lengths it accepts: see catalog.capabilities."""
    licence = models.CharField(max_length=100, blank=True)
    commercial_use = models.BooleanField(default=True)

    objects = LlmQuerySet.as_manager()

    class Meta:
        ordering = ["public_name"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "public_name"], name="llm_name_is_unique_per_owner"),
            models.CheckConstraint(name="llm_status_is_known", condition=Q(status__in=LlmStatus.values)),
        ]

    def __str__(self) -> str:
        return self.public_name

    def is_called(self, name: str) -> bool:
        """True for the public name, an alias and the upstream's id, matched exactly."""
        return name in (self.public_name, self.upstream_model, *self.aliases)


class LlmMappingQuerySet(models.QuerySet["LlmMapping"]):
    def of(self, llms: LlmQuerySet) -> Self:
        """The mappings of these models that take orders, with all that an order and its price need."""
        return self.filter(llm__in=llms, is_enabled=True, upstream__is_enabled=True).select_related(
            "llm__owner", "llm__provider", "catalog", "upstream__circuit", "sale_prices", "cost_prices"
        )


class LlmMapping(models.Model):
    """Puts a model into a catalog: through which upstream, at what price, under which endpoint."""

    llm = models.ForeignKey(Llm, on_delete=models.CASCADE, related_name="mappings")
    catalog = models.ForeignKey(LlmCatalog, on_delete=models.PROTECT, related_name="mappings")
    upstream = models.ForeignKey("catalog.Upstream", on_delete=models.PROTECT, related_name="mappings")
    operation = models.SlugField(max_length=40, default="generate")
    endpoint_slug = models.SlugField(max_length=80, unique=True, null=True, blank=True)
    """What clients put in the path; unique on the platform."""
    upstream_endpoint = models.CharField(max_length=200, blank=True)
    """What we put in the vendor's path."""
    upstream_shape = models.CharField(max_length=40, blank=True)
    sale_prices = models.ForeignKey("catalog.PriceProgram", on_delete=models.PROTECT, related_name="sold_by")
    cost_prices = models.ForeignKey(
        "catalog.PriceProgram", null=True, blank=True, on_delete=models.PROTECT, related_name="bought_by"
    )
    poll_seconds = models.FloatField(default=2)
    deadline_seconds = models.FloatField(default=900)
    expected_seconds = models.FloatField(null=True, blank=True)
    priority = models.IntegerField(default=100)
    """Lower is tried first."""
    weight = models.PositiveIntegerField(default=1)
    default_for_wires = models.JSONField(default=list, blank=True)
    extra = models.JSONField(default=list, blank=True)
    """Names of vendor fields a caller may pass through."""
    write_lyrics = models.BooleanField(default=False)
    is_enabled = models.BooleanField(default=True)
    """Takes orders. A mapping that jobs went through is switched off, never deleted."""

    objects = LlmMappingQuerySet.as_manager()

    class Meta:
        ordering = ["priority", "id"]
        constraints = [
            models.UniqueConstraint(fields=["llm", "catalog", "upstream", "operation"], name="mapping_is_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.llm} in {self.catalog_id} through {self.upstream}"

    @property
    def sells_texts(self) -> bool:
        """Orders of it are lyrics alone: nothing is heard, so nothing has a length."""
        return self.operation == LYRICS
