"""Which model an order means, and which offers an organization may see."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from django.db.models import Q
from django.utils import timezone

from accounts.models import Organization
from catalog.models import Llm, LlmCatalog, LlmMapping
from catalog.models.lineage import lineage
from catalog.models.llm import LlmMappingQuerySet

AUTO: Final = "auto"
"""The name by which a client leaves the choice to the wire's default."""
_BY_NAME, _BY_ALIAS, _BY_UPSTREAM_ID = range(3)


class ModelNotFound(Exception):
    """No offer of that name; `param` names the field at fault: `model` or `catelogid`, as the first wire spells it."""

    def __init__(self, message: str, *, param: Literal["model", "catelogid"]) -> None:
        super().__init__(message)
        self.message, self.param = message, param


class EndpointNotFound(Exception):
    """No offer behind that slug; a foreign one reads exactly as a missing one."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def find_endpoint(*, organization: Organization, slug: str) -> LlmMapping:
    """The offer whose `endpoint_slug` a client put in the path, loaded as `find_offer` loads it. Two queries.

    Raises EndpointNotFound.
    """
    found = _on_offer(lineage(organization)).filter(endpoint_slug=slug).first()
    if found is None:
        raise EndpointNotFound(f"There is no endpoint {slug!r}.")
    return found


def find_offer(*, organization: Organization, catalog: str, model: str, wire: str | None = None) -> LlmMapping:
    """The offer an order means, with `llm` (its owner and provider), `catalog`, `upstream` and programs loaded.

    `catalog` is a catalog's id or name. `model` is matched exactly: a public name before an alias before an
    upstream's id; among equals the organization's own offer, then its seller's up the tree, then by priority, then
    the oldest. Without a model, or with `auto`, the wire's default is meant. Two queries; one more where it fails.

    Raises ModelNotFound.
    """
    distance = lineage(organization)
    offers = _on_offer(distance).filter(Q(catalog__id=catalog) | Q(catalog__name=catalog))
    if model in ("", AUTO) and wire is not None:
        found = [offer for offer in offers.exclude(default_for_wires=[]) if wire in offer.default_for_wires]
    else:
        named = Q(llm__public_name=model) | Q(llm__upstream_model=model) | ~Q(llm__aliases=[])
        found = _best_matches(offers.filter(named), model)
    if not found:
        raise _not_found(catalog, model)
    return min(found, key=lambda offer: (distance[offer.llm.owner_id], offer.priority, offer.pk))


def other_routes(mapping: LlmMapping) -> list[LlmMapping]:
    """The other mappings that may make what is ordered through this one, best first: one query.

    They are of the same model, so of the same seller, and for the same kind of work.
    """
    others = LlmMapping.objects.of(Llm.objects.filter(pk=mapping.llm_id)).exclude(pk=mapping.pk)
    return list(others.filter(catalog=mapping.catalog_id, operation=mapping.operation).order_by("priority", "pk"))


def find_default(*, organization: Organization, catalog: str, operation: str) -> LlmMapping | None:
    """What the nearest seller offers first of a kind of work, whoever asks; None where nobody offers it."""
    distance = lineage(organization)
    offers = _on_offer(distance).filter(catalog__id=catalog, operation=operation)
    return min(offers, key=lambda offer: (distance[offer.llm.owner_id], offer.priority, offer.pk), default=None)


def offers_visible_to(organization: Organization) -> list[LlmMapping]:
    """Every offer an order of the organization could mean, nearest seller first; a model may be in several catalogs.

    Loaded with the offers: model, catalog, upstream and the price rows (`offer.sale_prices.prices.all()`).
    """
    distance = lineage(organization)
    offers = _on_offer(distance).prefetch_related("sale_prices__prices")
    return sorted(
        offers, key=lambda offer: (distance[offer.llm.owner_id], offer.llm.public_name, offer.priority, offer.pk)
    )


def _on_offer(owners: Iterable[int]) -> LlmMappingQuerySet:
    return LlmMapping.objects.of(Llm.objects.owned_by(owners).on_sale_at(timezone.now()))


def _best_matches(offers: Iterable[LlmMapping], model: str) -> list[LlmMapping]:
    ranks = [(_rank(offer, model), offer) for offer in offers]
    best = min((rank for rank, _ in ranks if rank is not None), default=None)
    return [offer for rank, offer in ranks if rank == best and rank is not None]


def _rank(offer: LlmMapping, model: str) -> int | None:
    if offer.llm.public_name == model:
        return _BY_NAME
    if model in offer.llm.aliases:
        return _BY_ALIAS
    return _BY_UPSTREAM_ID if offer.llm.upstream_model == model else None


def _not_found(catalog: str, model: str) -> ModelNotFound:
    if not LlmCatalog.objects.filter(Q(pk=catalog) | Q(name=catalog)).exists():
        return ModelNotFound(f"There is no catalog {catalog!r}.", param="catelogid")
    return ModelNotFound(f"There is no model {model!r} in the catalog {catalog!r}.", param="model")
