"""The lyrics call of the wire `minimax`: POST /v1/lyrics_generation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from generation.contract import JobView, LyricsRequest, Order, Reply, SongRequest
from generation.dialects import minimax, minimax_answers
from generation.dialects.base import AI_GENERATED, CAUSES, Refused, failed, retry_headers
from generation.dialects.reading import Fields
from generation.dialects.vocabulary import refuse_unconveyed, unknown

SLUG: Final = "minimax_lyrics"
CATALOG: Final = "lyrics"
WRITE, EDIT = "write_full_song", "edit"
MODES: Final = (WRITE, EDIT)
LONGEST_TITLE: Final = 200
CONVEYED: Final = frozenset({"mode", "prompt", "lyrics", "title", "transno"})
STILL_WRITING: Final = (
    "The lyrics are still being written, but this call cannot wait any longer. The same order with the same "
    "Idempotency-Key joins it; without one it would be another text."
)


class MiniMaxLyrics:
    slug = SLUG
    link_life = minimax.LINK_LIFE

    def parse(self, body: Mapping[str, Any], path: Mapping[str, str]) -> Order:
        """Read an order: what is missing, then what is unsound, then what is not conveyed. Raises Refusal."""
        fields = Fields(body)
        fields.required_text("mode")
        is_edit = fields.choice("mode", MODES) == EDIT
        if is_edit:
            fields.required_text("lyrics")
        lyrics = fields.text("lyrics", longest=minimax.LONGEST_TEXT)
        order = Order(
            song=SongRequest(),
            text=LyricsRequest(
                prompt=fields.text("prompt", longest=minimax.LONGEST_TEXT) or "",
                title=fields.text("title", longest=LONGEST_TITLE),
                # Only an edit begins with a text.
                lyrics=lyrics if is_edit else None,
                is_edit=is_edit,
            ),
            model="",
            catalog=CATALOG,
            wire_default=minimax.SLUG,
            ignored=tuple(_ignored(body, is_edit=is_edit)),
            transno=fields.text("transno", longest=minimax.LONGEST_TRANSNO),
        )
        refuse_unconveyed(body, CONVEYED)
        return order

    def accepted(self, job: JobView) -> Reply:
        """Whoever waits no longer has to be told that it has no text: this wire cannot ask for one later."""
        return self.finished(job, request_id=job.id)

    def finished(self, job: JobView, *, request_id: str) -> Reply:
        if job.finished is None:
            # Sent again without its key it would be another text.
            again = {"x-should-retry": "false"}
            return _reply(request_id, status_code=minimax_answers.TIMED_OUT, message=STILL_WRITING, headers=again)
        if job.error is not None:
            return self.refused(failed(job.id, job.error, request_id=request_id))
        return _reply(request_id, job)

    def view(self, job: JobView) -> Reply:
        return self.finished(job, request_id=job.id)

    def refused(self, refused: Refused) -> Reply:
        cause = CAUSES.get(refused.code, CAUSES["internal_error"])
        return _reply(
            refused.request_id,
            status_code=minimax_answers.status_code_of(refused),
            message=refused.message,
            headers=retry_headers(cause, refused),
        )


def _reply(
    request_id: str,
    job: JobView | None = None,
    *,
    status_code: int = minimax_answers.SUCCESS,
    message: str = "success",
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Always HTTP 200; a client that reads texts finds texts, empty ones where there is none."""
    body = {
        "song_title": job.title if job else "",
        "style_tags": job.style_tags if job else "",
        "lyrics": (job.lyrics or "") if job else "",
        "base_resp": {"status_code": status_code, "status_msg": message},
    }
    marks = AI_GENERATED if job else {}
    return Reply(
        status=minimax_answers.HTTP_OK, body=body, headers={"Trace-Id": request_id, **marks, **(headers or {})}
    )


def _ignored(body: Mapping[str, Any], *, is_edit: bool) -> Iterator[str]:
    yield from unknown(body)
    if body.get("lyrics") and not is_edit:
        yield "lyrics"
