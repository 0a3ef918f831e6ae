from __future__ import annotations

from django.db import models

from accounts.tenancy import TenantRow


class SocketTicket(TenantRow):
    """Opens one WebSocket, once, within a minute: for browsers, which cannot send a key with one."""

    secret_hash = models.CharField(max_length=64, unique=True)
    api_key = models.ForeignKey("accounts.ApiKey", null=True, on_delete=models.CASCADE, related_name="+")
    member = models.ForeignKey("accounts.Membership", null=True, on_delete=models.CASCADE, related_name="+")
    live = models.BooleanField()
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"ticket of {self.organization_id} until {self.expires_at}"
