from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.tenancy import TenantRow
from generation.models.job import new_id
from generation.models.track import Track


class Rendition(TenantRow):
    """A delivered take in a format beside the ordered one: made once, kept as long as the take is.

    One without a `file` has been asked for, and is not made yet.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    track = models.ForeignKey(Track, on_delete=models.CASCADE, related_name="renditions")
    format = models.CharField(max_length=10)
    asked_at = models.DateTimeField()
    """When an audio worker was last told to make it."""
    file = models.CharField(max_length=300, blank=True)
    sample_rate = models.PositiveIntegerField(default=0)
    channels = models.PositiveSmallIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)

    class Meta(TenantRow.Meta):
        constraints = [
            models.UniqueConstraint(fields=["track", "format"], name="rendition_format_is_unique"),
            models.CheckConstraint(
                name="rendition_is_measured_when_made",
                condition=Q(file="", sha256="", size=0) | (~Q(file="") & ~Q(sha256="") & Q(size__gt=0)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.format} of {self.track_id}"
