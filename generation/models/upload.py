from __future__ import annotations

from django.db import models

from accounts.tenancy import TenantRow
from generation.models.job import new_id


class Upload(TenantRow):
    """A file of a caller that songs may lean on. What is kept is never what was sent, but what we made of it.

    `file` is its name in Django's default storage; `format`, `duration_ms` and `sha256` are that file's, while `size`
    is the number of bytes that were sent.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    api_key = models.ForeignKey("accounts.ApiKey", null=True, on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey("accounts.Membership", null=True, on_delete=models.PROTECT, related_name="+")
    live = models.BooleanField()
    purpose = models.CharField(max_length=20)
    file_name = models.CharField(max_length=200)
    """How the caller called it: for reading by people, never a path."""
    size = models.PositiveBigIntegerField()
    format = models.CharField(max_length=10)
    duration_ms = models.PositiveIntegerField()
    file = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64)
    tune = models.JSONField(default=list)
    """Of a MIDI file: [start, end, pitch] of each note, in milliseconds."""
    created_at = models.DateTimeField()

    class Meta(TenantRow.Meta):
        ordering = ["-id"]
        indexes = [models.Index(name="upload_library", fields=["organization", "-id"])]

    def __str__(self) -> str:
        return f"{self.purpose} {self.id}"
