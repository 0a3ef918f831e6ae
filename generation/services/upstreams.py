"""How the upstreams stand, for those who look after them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from catalog.capabilities import Capabilities, without_defaults
from catalog.models import CircuitState, LlmMapping, Upstream
from catalog.services.circuits import close_by_hand, open_by_hand
from generation.services.carried import carried_by
from generation.services.health import call_waiting, failures_by_upstream
from generation.services.routes import in_hand_by_upstream


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamStanding:
    """One upstream now. `failed` of the last `ended` attempts failed by its fault; `retry_at`: the next trial."""

    slug: str
    provider: str
    circuit: CircuitState
    reason: str
    failed: int
    ended: int
    in_hand: int
    slots: int
    retry_at: datetime | None


def standings() -> list[UpstreamStanding]:
    """Every upstream that takes orders, by name. Read in system scope."""
    rows = Upstream.unscoped.filter(is_enabled=True).select_related("circuit").order_by("slug")
    return list(standings_of(rows).values())


def standings_of(upstreams: Iterable[Upstream]) -> Mapping[int, UpstreamStanding]:
    """How these stand, by id in the order given: two queries, given each upstream with its circuit."""
    now = timezone.now()
    rows = list(upstreams)
    ids = [upstream.pk for upstream in rows]
    failures, in_hand = failures_by_upstream(ids), in_hand_by_upstream(ids)
    return {
        upstream.pk: _standing(upstream, now, failures=failures.get(upstream.pk, (0, 0)), in_hand=in_hand[upstream.pk])
        for upstream in rows
    }


def open_upstream(slug: str) -> None:
    """Send no order there until it is closed by hand. Raises Upstream.DoesNotExist."""
    open_by_hand(Upstream.unscoped.get(slug=slug).pk)


def close_upstream(slug: str) -> bool:
    """Send orders there again, and call those who wait; False where it was closed. Raises Upstream.DoesNotExist."""
    upstream = Upstream.unscoped.get(slug=slug)
    has_closed = close_by_hand(upstream.pk)
    if has_closed:
        call_waiting(upstream.pk)
    return has_closed


def beyond_reach() -> Iterator[tuple[LlmMapping, str]]:
    """Each promise of a model's row that its mapping's upstream has no way to carry."""
    mappings = LlmMapping.objects.filter(is_enabled=True, upstream__is_enabled=True).select_related("llm", "upstream")
    for mapping in mappings.order_by("llm__public_name", "pk"):
        promised = Capabilities.from_json(mapping.llm.capabilities)
        carried = carried_by(mapping).as_json()
        for name, value in without_defaults(promised).items():
            if carried[name] != value and value not in ("optional", "required"):
                yield mapping, name


def _standing(upstream: Upstream, now: datetime, *, failures: tuple[int, int], in_hand: int) -> UpstreamStanding:
    circuit = getattr(upstream, "circuit", None)
    failed, ended = failures
    return UpstreamStanding(
        slug=upstream.slug,
        provider=upstream.provider,
        circuit=circuit.state_at(now) if circuit else CircuitState.CLOSED,
        reason=circuit.reason if circuit else "",
        failed=failed,
        ended=ended,
        in_hand=in_hand,
        slots=upstream.slots,
        retry_at=circuit.opened_until if circuit else None,
    )
