"""Writes the offer in the database as a file that `apply_offer` reads."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import yaml
from django.db.models import Q
from django.utils import timezone

from accounts.models import Organization
from accounts.tenancy import system_scope
from billing.money import in_credits
from catalog.capabilities import Capabilities, Limits, without_defaults
from catalog.models import Llm, LlmCatalog, LlmMapping, LlmStatus, Price, PriceProgram, Upstream


class _Digits(str):
    """A number that is written as it stands."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        # Lists stand one step in from their key, as people write them.
        super().increase_indent(flow, indentless=False)


_Dumper.add_representer(_Digits, lambda dumper, digits: dumper.represent_scalar("tag:yaml.org,2002:float", str(digits)))


def export_offer(*, at: datetime | None = None) -> str:
    """The whole offer as YAML: in a fixed order, without what is a default, never with a secret.

    Applied to a database that holds the same organizations it makes the same offer, and exports the same text. Prices
    that have ended are history, not offer, and are left out.
    """
    moment = at or timezone.now()
    with system_scope():
        offer = {
            "providers": {one.slug: {"name": one.name} for one in _providers()},
            "catalogs": {one.pk: _said(name=one.name, description=one.description) for one in LlmCatalog.objects.all()},
            "upstreams": {one.slug: _upstream(one) for one in _by_slug(Upstream)},
            "prices": {one.slug: _program(one, moment) for one in _by_slug(PriceProgram)},
            "models": [_model(one) for one in _llms()],
        }
    said = {name: part for name, part in offer.items() if part}
    return yaml.dump(said, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)


def _providers() -> list[Organization]:
    """Organizations that do nothing but make songs; the others stand for themselves."""
    made_for = Llm.objects.values("provider")
    return list(
        Organization.objects.filter(pk__in=made_for, is_provider=True)
        .exclude(Q(is_platform=True) | Q(is_reseller=True) | Q(is_customer=True))
        .order_by("slug")
    )


def _by_slug(model: Any) -> Any:
    owner = "organization" if model is Upstream else "owner"
    return model.objects.select_related(owner).order_by("slug")


def _llms() -> Any:
    return Llm.objects.select_related("owner", "provider").order_by("owner__slug", "public_name")


def _upstream(row: Upstream) -> dict[str, Any]:
    return _said(
        owner=row.organization.slug,
        name=row.name,
        provider=row.provider,
        base_url=row.base_url,
        credential={"env": row.credential_env} if row.credential_env else None,
        slots=_unless(row.slots, 2000),
        connect_seconds=_unless(row.connect_seconds, 10),
        deadline_seconds=_unless(row.deadline_seconds, 900),
        enabled=_unless(row.is_enabled, True),
    )


def _program(row: PriceProgram, at: datetime) -> dict[str, Any]:
    prices = [price for price in row.prices.all() if price.valid_until is None or price.valid_until > at]
    prices.sort(key=lambda price: (price.unit, json.dumps(price.filters, sort_keys=True), price.valid_from, price.pk))
    return {"owner": row.owner.slug, "name": row.name, "rows": [_price(price, at) for price in prices]}


def _price(row: Price, at: datetime) -> dict[str, Any]:
    return _said(
        unit=row.unit,
        credits=_Digits(in_credits(row.amount_micro)),
        filters=row.filters,
        **{"from": row.valid_from if row.valid_from > at else None},
        until=row.valid_until,
    )


def _model(row: Llm) -> dict[str, Any]:
    return _said(
        name=row.public_name,
        owner=row.owner.slug,
        provider=row.provider.slug,
        aliases=row.aliases,
        upstream_model=_unless(row.upstream_model, row.public_name),
        description=row.description,
        status=_unless(row.status, LlmStatus.PUBLISHED),
        sold_from=row.sold_from,
        sold_until=row.sold_until,
        licence=row.licence,
        commercial_use=_unless(row.commercial_use, True),
        capabilities=without_defaults(Capabilities.from_json(row.capabilities)),
        limits=_tidy(without_defaults(Limits.from_json(row.limits))),
        mappings=[_mapping(one) for one in _mappings(row)],
    )


def _mappings(row: Llm) -> Any:
    loaded = row.mappings.select_related("upstream", "sale_prices", "cost_prices")
    return loaded.order_by("catalog_id", "upstream__slug", "operation")


def _mapping(row: LlmMapping) -> dict[str, Any]:
    return _said(
        catalog=row.catalog_id,
        upstream=row.upstream.slug,
        operation=_unless(row.operation, "generate"),
        endpoint_slug=row.endpoint_slug,
        upstream_endpoint=row.upstream_endpoint,
        upstream_shape=row.upstream_shape,
        sale_prices=row.sale_prices.slug,
        cost_prices=row.cost_prices.slug if row.cost_prices else None,
        poll_seconds=_unless(row.poll_seconds, 2),
        deadline_seconds=_unless(row.deadline_seconds, 900),
        expected_seconds=row.expected_seconds,
        priority=_unless(row.priority, 100),
        weight=_unless(row.weight, 1),
        default_for_wires=row.default_for_wires,
        extra=row.extra,
        write_lyrics=_unless(row.write_lyrics, False),
        enabled=_unless(row.is_enabled, True),
    )


def _unless(value: Any, default: Any) -> Any:
    return None if value == default else value


def _said(**values: Any) -> dict[str, Any]:
    """What there is to say: nothing that is empty or absent."""
    return {name: _tidy(value) for name, value in values.items() if value is not None and value not in ("", [], {})}


def _tidy(value: Any) -> Any:
    """Whole numbers without a point."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _tidy(one) for name, one in value.items()}
    return [_tidy(one) for one in value] if isinstance(value, list) else value
