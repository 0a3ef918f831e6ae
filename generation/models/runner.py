from __future__ import annotations

import uuid

from django.db import models


class Runner(models.Model):
    """A worker process that has jobs in hand. One UPDATE of its row renews the lease on all of them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    host = models.CharField(max_length=200)
    process = models.PositiveIntegerField()
    slots = models.PositiveIntegerField()
    lease_until = models.DateTimeField(db_index=True)
    started_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.host}:{self.process}"


class Clock(models.Model):
    """When a chore of all runners is next due; a conditional UPDATE lets one of them do it."""

    chore = models.CharField(max_length=40, primary_key=True)
    due_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.chore
