"""The lyrics call of the wire `mureka` in its vendor's own envelope: POST /v1/lyrics/generate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from generation.contract import JobView, LyricsRequest, Order, Reply, SongRequest
from generation.dialects.base import AI_GENERATED, Refused, failure_of
from generation.dialects.mureka import LINK_LIFE
from generation.dialects.mureka_envelopes import OfficialEnvelope
from generation.dialects.mureka_orders import WIRE
from generation.dialects.reading import Fields
from generation.dialects.vocabulary import refuse_unconveyed, unknown

SLUG: Final = "mureka_lyrics"
CATALOG: Final = "lyrics"
LONGEST_TEXT: Final = 100_000
LONGEST_TRANSNO: Final = 255
CONVEYED: Final = frozenset({"prompt", "transno"})
STILL_WRITING: Final = Refused(
    code="deadline_exceeded",
    message="The lyrics are still being written, but this call cannot wait any longer. The same order with the same "
    "Idempotency-Key joins it; without one it would be another text.",
)


class MurekaLyrics:
    slug = SLUG
    link_life = LINK_LIFE
    envelope = OfficialEnvelope()

    def parse(self, body: Mapping[str, Any], path: Mapping[str, str]) -> Order:
        """Read an order. Raises Refusal."""
        fields = Fields(body)
        fields.required_text("prompt")
        order = Order(
            song=SongRequest(),
            text=LyricsRequest(prompt=fields.text("prompt", longest=LONGEST_TEXT) or ""),
            model="",
            catalog=CATALOG,
            wire_default=WIRE,
            ignored=unknown(body),
            transno=fields.text("transno", longest=LONGEST_TRANSNO),
        )
        refuse_unconveyed(body, CONVEYED)
        return order

    def accepted(self, job: JobView) -> Reply:
        return self.finished(job, request_id=job.id)

    def finished(self, job: JobView, *, request_id: str) -> Reply:
        """The text; whoever waits no longer is told so, because this wire cannot ask for it later."""
        if job.finished is None:
            # Sent again without its key it would be another text.
            return self.refused(replace(STILL_WRITING, job_id=job.id, request_id=request_id))
        if failure := failure_of(job, request_id=request_id):
            return self.refused(failure)
        body = {"title": job.title, "lyrics": job.lyrics or ""}
        return Reply(status=200, body=body, headers={"Trace-Id": request_id, **AI_GENERATED})

    def view(self, job: JobView) -> Reply:
        return self.finished(job, request_id=job.id)

    def refused(self, refused: Refused) -> Reply:
        return self.envelope.refused(refused)
