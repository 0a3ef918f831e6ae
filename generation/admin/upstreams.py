"""Upstreams and their circuits, for those who look after them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, cast
from urllib.parse import urlsplit

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.admin.scoped import OrganizationAdmin
from catalog.models import CircuitReason, CircuitState, Upstream
from generation.services.upstreams import UpstreamStanding, close_upstream, open_upstream, standings_of

WORD: Final = "upstreams.manage"


class UpstreamList(ChangeList):
    """One page of the list, each row with how its upstream stands: as many queries for one row as for all."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = _with_standing(self.result_list)


@admin.register(Upstream)
class UpstreamAdmin(OrganizationAdmin):
    """Shown, never edited; the credential is not shown, and of the address no more than the host."""

    view_word = WORD
    list_display = ("name", "circuit_now", "failures", "in_hand", "provider", "is_enabled", "slug", "organization")
    list_filter = ("provider", "is_enabled")
    list_select_related = ("organization", "circuit")
    search_fields = ("name", "slug")
    ordering = ("slug",)
    fields = (
        *("name", "slug", "organization", "provider", "host", "is_enabled"),
        *("circuit_now", "failures", "in_hand"),
    )
    readonly_fields = fields
    actions = ("open_circuit", "close_circuit")

    class Media:
        css = {"all": ("generation/admin.css",)}

    def get_changelist(self, request: HttpRequest, **kwargs: object) -> type[ChangeList]:
        return UpstreamList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Upstream]:
        return super().get_queryset(request).select_related(*self.list_select_related)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Upstream:
        [upstream] = _with_standing([super().get_object(request, object_id, from_field)])
        return upstream

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return self.may(request, WORD)

    @admin.action(description=_("Open circuit: send no order there"), permissions=["operate"])
    def open_circuit(self, request: HttpRequest, selected: QuerySet[Upstream]) -> None:
        upstreams = list(self.rows_with(request, WORD, selected))
        for upstream in upstreams:
            open_upstream(upstream.slug)
            self.log_change(request, upstream, "Opened the circuit.")
        count = len(upstreams)
        told = ngettext("%d circuit is open: no order goes there.", "%d circuits are open: no order goes there.", count)
        messages.success(request, told % count)

    @admin.action(description=_("Close circuit: send orders there again"), permissions=["operate"])
    def close_circuit(self, request: HttpRequest, selected: QuerySet[Upstream]) -> None:
        closed = [upstream for upstream in self.rows_with(request, WORD, selected) if close_upstream(upstream.slug)]
        for upstream in closed:
            self.log_change(request, upstream, "Closed the circuit.")
        count = len(closed)
        told = ngettext("%d circuit was closed: orders go there.", "%d circuits were closed: orders go there.", count)
        messages.success(request, told % count)

    @admin.display(description=_("circuit"))
    def circuit_now(self, upstream: Upstream) -> SafeString:
        standing = _standing(upstream)
        reason = f" ({standing.reason})" if standing.reason else ""
        shown = '<span class="circuit {}">{}{}</span><span class="circuit-next">{}</span>'
        return format_html(shown, standing.circuit, standing.circuit, reason, _next_trial(standing))

    @admin.display(description=_("failures lately"))
    def failures(self, upstream: Upstream) -> str:
        standing = _standing(upstream)
        return _("%(failed)d of %(ended)d") % {"failed": standing.failed, "ended": standing.ended}

    @admin.display(description=_("in hand"))
    def in_hand(self, upstream: Upstream) -> str:
        standing = _standing(upstream)
        return _("%(in_hand)d of %(slots)d") % {"in_hand": standing.in_hand, "slots": standing.slots}

    @admin.display(description=_("host"))
    def host(self, upstream: Upstream) -> str | None:
        # An address may carry a name and a password before its host, and a key after it.
        return urlsplit(upstream.base_url).hostname


def _next_trial(standing: UpstreamStanding) -> str:
    if standing.circuit == CircuitState.HALF_OPEN:
        return gettext("one order at a time, on trial")
    if standing.circuit == CircuitState.OPEN and standing.reason == CircuitReason.BY_HAND:
        return gettext("until it is closed by hand")
    return gettext("next trial %s UTC") % f"{standing.retry_at:%Y-%m-%d %H:%M:%S}" if standing.retry_at else ""


def _with_standing(upstreams: Iterable[Upstream]) -> list[Upstream]:
    rows = list(upstreams)
    standings = standings_of(rows)
    for upstream in rows:
        upstream.standing = standings[upstream.pk]  # type: ignore[attr-defined]
    return rows


def _standing(upstream: Upstream) -> UpstreamStanding:
    return cast("UpstreamStanding", upstream.standing)  # type: ignore[attr-defined]
