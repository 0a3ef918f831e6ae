from __future__ import annotations

from django.db import models

from accounts.tenancy import TenantRow
from generation.contract import Tokens
from generation.models.job import Job, new_id
from generation.tokens import Made


class Track(TenantRow):
    """One delivered audio. `file` is its name in Django's default storage."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="tracks")
    mapping = models.ForeignKey(
        "catalog.LlmMapping", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    """The route that made it; None: the one that was ordered."""
    take = models.PositiveIntegerField()
    file = models.CharField(max_length=300)
    format = models.CharField(max_length=10)
    sample_rate = models.PositiveIntegerField()
    channels = models.PositiveSmallIntegerField()
    bitrate = models.PositiveIntegerField()
    duration_ms = models.PositiveIntegerField()
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    seed = models.BigIntegerField(null=True)
    origin = models.ForeignKey("catalog.Upstream", null=True, on_delete=models.PROTECT, related_name="+")
    """The upstream that made it, and called it `upstream_id`; None: rehearsal of a test key."""
    upstream_id = models.CharField(max_length=200, blank=True)
    sections = models.JSONField(default=list)
    """Timings of the lyrics: see generation.contract.Section."""
    prompt_tokens = models.PositiveIntegerField(null=True)
    candidate_tokens = models.PositiveIntegerField(null=True)
    """As the upstream counted them, this take's share of what it told; None where it does not count."""
    charged_micro = models.BigIntegerField()
    created_at = models.DateTimeField()

    class Meta(TenantRow.Meta):
        ordering = ["take"]
        constraints = [models.UniqueConstraint(fields=["job", "take"], name="track_take_is_unique")]

    def __str__(self) -> str:
        return f"take {self.take} of {self.job_id}"

    @property
    def made(self) -> Made:
        """What its price goes by."""
        return Made(self.duration_ms, self.tokens, self.mapping_id)

    @property
    def tokens(self) -> Tokens | None:
        if self.prompt_tokens is None or self.candidate_tokens is None:
            return None
        return Tokens(self.prompt_tokens, self.candidate_tokens)
