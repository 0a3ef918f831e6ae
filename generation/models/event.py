from __future__ import annotations

from typing import Any, NoReturn

from django.db import models

from accounts.tenancy import TenantRow
from generation.models.job import Job


class Event(TenantRow):
    """One line of a job's log: numbered from 1 without gaps, never changed. Every reader reads these."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="events")
    seq = models.PositiveIntegerField()
    type = models.CharField(max_length=20)
    data = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta(TenantRow.Meta):
        ordering = ["seq"]
        constraints = [models.UniqueConstraint(fields=["job", "seq"], name="event_number_is_unique")]

    def __str__(self) -> str:
        return f"{self.type} {self.seq} of {self.job_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("an event is never changed")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("an event is never removed by itself")
