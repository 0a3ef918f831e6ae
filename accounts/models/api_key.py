from __future__ import annotations

from datetime import datetime

from django.db import models

from accounts.tenancy import TenantRow


class ApiKey(TenantRow):
    """Acts for an organization. The secret is shown once; only its SHA-256 is kept."""

    member = models.ForeignKey("accounts.Membership", null=True, on_delete=models.PROTECT, related_name="api_keys")
    name = models.CharField(max_length=100)
    hint = models.CharField(max_length=20)
    """The first characters, to tell keys apart on a page."""
    secret_hash = models.CharField(max_length=64, unique=True)
    live = models.BooleanField()
    scopes = models.JSONField(default=list, blank=True)
    """Permission words the key is narrowed to; empty: all that its member's role holds."""
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    def is_valid_at(self, moment: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or moment < self.expires_at)
