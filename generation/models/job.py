from __future__ import annotations

import uuid
from datetime import datetime
from typing import Self

import uuid_utils
from django.db import models
from django.db.models import Q

from accounts.tenancy import ScopedManager, TenantRow
from catalog.models.llm import LYRICS
from generation.contract import LyricsRequest, SongRequest
from generation.states import FINAL, AttemptState, JobState


def new_id() -> uuid.UUID:
    """A time-ordered id (UUID version 7), so that new rows lie together in every index."""
    return uuid.UUID(bytes=uuid_utils.uuid7().bytes)


class JobQuerySet(models.QuerySet["Job"]):
    def held_by(self, token: uuid.UUID) -> Self:
        """The running job that still carries this fencing token; empty once another has taken over."""
        return self.filter(state=JobState.RUNNING, token=token)

    def waiting_at(self, moment: datetime) -> Self:
        return self.filter(state=JobState.QUEUED, run_after__lte=moment)

    def unfinished(self) -> Self:
        return self.exclude(state__in=FINAL)


class Job(TenantRow):
    """One order and its life: the one truth about it. A queue message is a hint, a channel message a wake-up."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    api_key = models.ForeignKey("accounts.ApiKey", null=True, on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey("accounts.Membership", null=True, on_delete=models.PROTECT, related_name="+")
    live = models.BooleanField()

    dialect = models.CharField(max_length=40)
    wire = models.JSONField(default=dict)
    """How that wire wants its answer; understood by the dialect alone."""
    model = models.CharField(max_length=100)
    """The name the caller ordered."""
    mapping = models.ForeignKey("catalog.LlmMapping", on_delete=models.PROTECT, related_name="+")
    upstream = models.ForeignKey("catalog.Upstream", null=True, on_delete=models.PROTECT, related_name="+")
    """Where it was sent last; None: rehearsal, as for every test key."""
    routes = models.JSONField(default=list)
    """Ids of the mappings that may still make it, in the order they are tried. Empty: `mapping` alone."""
    operation = models.CharField(max_length=40, default="generate")
    """What was ordered: that of the mapping at the time."""
    request = models.JSONField()
    """The song request; of a text job the lyrics request."""
    writer = models.ForeignKey("catalog.LlmMapping", null=True, on_delete=models.PROTECT, related_name="+")
    """Who writes the lyrics of this song before it is made; their price is part of the quote."""
    quote = models.JSONField()

    state = models.CharField(max_length=20, choices=[(state, state) for state in JobState], default=JobState.QUEUED)
    streaming = models.BooleanField(default=False)
    attempt = models.PositiveIntegerField(default=0)
    token = models.UUIDField(null=True)
    """Fencing: whoever writes for this attempt shows it; a new attempt has another."""
    runner = models.ForeignKey("generation.Runner", null=True, on_delete=models.SET_NULL, related_name="jobs")
    run_after = models.DateTimeField()
    parked_at = models.DateTimeField(null=True)
    """Since when it waits for a slot of its upstream, or for a circuit; what frees one calls the longest waiting."""
    sent_at = models.DateTimeField(null=True)
    sent_count = models.PositiveIntegerField(default=0)
    deadline = models.DateTimeField()
    last_seq = models.PositiveIntegerField(default=0)

    lyrics = models.TextField(null=True)  # noqa: DJ001 - not known yet, which is another thing than none
    title = models.TextField(blank=True)
    style_tags = models.TextField(blank=True)
    """What the writer of the lyrics gave with them."""
    charged_micro = models.BigIntegerField(null=True)
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.TextField(blank=True)
    error_param = models.CharField(max_length=40, blank=True)
    """The field of the order at fault; `audio`: what was made of it. Empty where that is not known."""
    is_flagged = models.BooleanField(default=False)
    """Someone should look: the fate of an upstream call is not known."""
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = ScopedManager.from_queryset(JobQuerySet)()  # type: ignore[misc]
    unscoped = models.Manager.from_queryset(JobQuerySet)()  # type: ignore[misc]

    class Meta(TenantRow.Meta):
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="job_state_is_known", condition=Q(state__in=list(JobState))),
            models.CheckConstraint(
                name="job_finished_exactly_when_final",
                condition=Q(state__in=FINAL, finished_at__isnull=False, charged_micro__isnull=False)
                | (~Q(state__in=FINAL) & Q(finished_at__isnull=True, charged_micro__isnull=True)),
            ),
            models.CheckConstraint(
                name="job_token_exactly_when_running",
                condition=Q(state=JobState.RUNNING, token__isnull=False)
                | (~Q(state=JobState.RUNNING) & Q(token__isnull=True)),
            ),
        ]
        indexes = [
            models.Index(name="job_library", fields=["organization", "-id"]),
            models.Index(name="job_queue", fields=["run_after"], condition=Q(state=JobState.QUEUED)),
            models.Index(name="job_in_hand", fields=["runner"], condition=Q(state=JobState.RUNNING)),
            models.Index(
                name="job_under_way",
                fields=["organization", "state", "run_after"],
                condition=Q(finished_at__isnull=True),
            ),
            models.Index(
                name="job_ended", fields=["organization", "finished_at"], condition=Q(finished_at__isnull=False)
            ),
            models.Index(name="job_parked", fields=["upstream", "id"], condition=Q(parked_at__isnull=False)),
            models.Index(name="job_due", fields=["deadline"], condition=~Q(state__in=FINAL)),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.id} ({self.state})"

    @property
    def is_final(self) -> bool:
        return self.state in FINAL

    @property
    def is_text(self) -> bool:
        """Lyrics alone were ordered: no audio will come."""
        return self.operation == LYRICS

    @property
    def text(self) -> LyricsRequest | None:
        return LyricsRequest.from_json(self.request) if self.is_text else None

    @property
    def song(self) -> SongRequest:
        """What was ordered as a song; of a text job what it has in common with one."""
        text = self.text
        if text is None:
            return SongRequest.from_json(self.request)
        return SongRequest(prompt=text.prompt, lyrics=text.lyrics, title=text.title, seed=text.seed)


class Attempt(TenantRow):
    """One try at an upstream, written before the call."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    token = models.UUIDField(unique=True)
    reference = models.UUIDField(default=new_id)
    """What we call this try when we talk to the upstream; one that takes a lost try up again keeps its name."""
    state = models.CharField(
        max_length=20, choices=[(state, state) for state in AttemptState], default=AttemptState.SUBMITTING
    )
    mapping = models.ForeignKey(
        "catalog.LlmMapping", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    """The route it took; None: the one that was ordered."""
    upstream = models.ForeignKey(
        "catalog.Upstream", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    is_held_against = models.BooleanField(default=False)
    """It failed by its upstream's fault: counted by that one's circuit."""
    tickets = models.JSONField(default=list)
    """The upstream's own ids of its tasks, oldest first."""
    raw = models.JSONField(default=list)
    """What came, one entry per take: where its bytes lie, lyrics in time, seed, the upstream's id, tokens."""
    missing = models.JSONField(default=list)
    """Takes that were ordered and did not come: which, why, and whether the upstream may have made them."""
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.TextField(blank=True)
    cost_micro = models.BigIntegerField(default=0)
    """What the upstream will bill although nobody was charged: a result that came too late."""
    started_at = models.DateTimeField()
    received_at = models.DateTimeField(null=True)
    finishing_until = models.DateTimeField(null=True)
    """An audio worker is at it until then, at the latest: another one leaves it alone."""
    ended_at = models.DateTimeField(null=True)

    class Meta(TenantRow.Meta):
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="attempt_number_is_unique")]
        indexes = [
            models.Index(name="attempt_ends", fields=["upstream", "-ended_at"]),
            models.Index(name="attempt_at_upstream", fields=["upstream"], condition=Q(state=AttemptState.SUBMITTING)),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.job_id} ({self.state})"


class IdempotencyKey(TenantRow):
    """The order that a caller's key stands for; another body under it is a conflict."""

    key = models.CharField(max_length=255)
    live = models.BooleanField()
    body_hash = models.CharField(max_length=64)
    job = models.OneToOneField(Job, on_delete=models.CASCADE, related_name="idempotency")

    class Meta(TenantRow.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organization", "live", "key"], name="idempotency_key_is_unique")
        ]

    def __str__(self) -> str:
        return f"key of {self.job_id}"
