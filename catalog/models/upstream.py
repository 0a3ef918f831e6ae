from __future__ import annotations

from datetime import datetime

from django.db import models

from accounts.tenancy import TenantRow
from ground.sealed import SealedTextField


class Upstream(TenantRow):
    """An address, a credential, slots and timeouts; `provider` names the code that speaks its wire."""

    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=200)
    provider = models.SlugField(max_length=40)
    base_url = models.URLField(max_length=500, blank=True)
    credential = SealedTextField(blank=True, default="")
    credential_env = models.CharField(max_length=100, blank=True)
    """The environment variable an offer file took the credential from; the value itself is never exported."""
    slots = models.PositiveIntegerField(default=2000)
    connect_seconds = models.FloatField(default=10)
    deadline_seconds = models.FloatField(default=900)
    is_enabled = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name

    def closed_until(self, moment: datetime) -> datetime | None:
        """Until when no order goes there; None: orders go there, if only on trial."""
        circuit = getattr(self, "circuit", None)
        until: datetime | None = circuit.opened_until if circuit is not None else None
        return until if until is not None and until > moment else None
