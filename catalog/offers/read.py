"""Reads an offer file. What it may say, key by key, is this module."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from catalog.capabilities import BadValue, Capabilities, Limits
from catalog.models import LlmStatus, Unit
from catalog.offers.entries import (
    CatalogEntry,
    MappingEntry,
    ModelEntry,
    OfferFile,
    PriceEntry,
    ProgramEntry,
    ProviderEntry,
    UpstreamEntry,
)
from catalog.offers.nodes import Fields, Name, OfferError, read_root
from catalog.price_filters import read_filters

Read = TypeVar("Read")


def read_offer(text: str, *, file: str) -> OfferFile:
    """The offer a YAML text describes; raises OfferError naming file and line of the first thing that is wrong.

    `owner` at the top is the organization everything belongs to that names no owner of its own.
    """
    root = read_root(text, file)
    owner = root.optional_name("owner")
    offer = OfferFile(
        file=file,
        providers=tuple(_provider(slug, fields) for slug, fields in root.entries("providers")),
        catalogs=tuple(_catalog(slug, fields) for slug, fields in root.entries("catalogs")),
        upstreams=tuple(_upstream(slug, fields, owner) for slug, fields in root.entries("upstreams")),
        programs=tuple(_program(slug, fields, owner) for slug, fields in root.entries("prices")),
        models=tuple(_model(fields, owner) for fields in root.items("models", "a model")),
    )
    root.done()
    _refuse_twice(file, ((model.name, (model.owner, model.name)) for model in offer.models))
    return offer


def _provider(slug: Name, fields: Fields) -> ProviderEntry:
    entry = ProviderEntry(slug=slug, name=fields.name("name"))
    fields.done()
    return entry


def _catalog(slug: Name, fields: Fields) -> CatalogEntry:
    entry = CatalogEntry(id=slug, name=fields.name("name"), description=fields.text("description"))
    fields.done()
    return entry


def _upstream(slug: Name, fields: Fields, owner: Name | None) -> UpstreamEntry:
    entry = UpstreamEntry(
        slug=slug,
        owner=_owner(fields, owner),
        name=fields.name("name"),
        provider=fields.name("provider"),
        base_url=_base_url(fields),
        credential_env=_credential_env(fields),
        slots=fields.whole("slots", 2000, least=1),
        connect_seconds=fields.seconds("connect_seconds", 10),
        deadline_seconds=fields.seconds("deadline_seconds", 900),
        is_enabled=fields.truth("enabled", default=True),
    )
    fields.done()
    return entry


def _owner(fields: Fields, owner: Name | None) -> Name:
    own = fields.optional_name("owner") or owner
    if own is None:
        raise fields.error(f"{fields.what} needs 'owner', here or at the top of the file")
    return own


def _base_url(fields: Fields) -> str:
    url = fields.text("base_url")
    if url and not url.startswith(("https://", "http://")):
        raise fields.error("base_url must begin with https:// or http://", fields.line_of("base_url"))
    return url


def _credential_env(fields: Fields) -> Name | None:
    # A file that is kept in git never holds a secret, so there is no key for the value itself.
    credential = fields.fields("credential")
    if credential is None:
        return None
    name = credential.name("env")
    credential.done()
    return name


def _program(slug: Name, fields: Fields, owner: Name | None) -> ProgramEntry:
    rows = tuple(_price(row) for row in fields.items("rows", "a price"))
    if "rows" not in fields:
        raise fields.error(f"{slug} needs its prices in 'rows'")
    _refuse_twice(
        fields.file, ((Name.at(row.unit, row.line), (row.unit, repr(row.filters), row.begins)) for row in rows)
    )
    entry = ProgramEntry(slug=slug, owner=_owner(fields, owner), name=fields.name("name"), rows=rows)
    fields.done()
    return entry


def _price(fields: Fields) -> PriceEntry:
    entry = PriceEntry(
        line=fields.line,
        unit=fields.choice("unit", Unit.values),
        amount_micro=fields.credits_micro("credits"),
        filters=_checked(fields, "filters", lambda data: dict(sorted(read_filters(data).items()))),
        begins=fields.moment("from"),
        ends=fields.moment("until"),
    )
    if entry.begins and entry.ends and entry.ends <= entry.begins:
        raise fields.error("'until' must be after 'from'", fields.line_of("until"))
    fields.done()
    return entry


def _model(fields: Fields, owner: Name | None) -> ModelEntry:
    name = fields.name("name")
    fields.what = name
    entry = ModelEntry(
        name=name,
        owner=_owner(fields, owner),
        provider=fields.name("provider"),
        aliases=[str(alias) for alias in fields.names("aliases")],
        upstream_model=fields.text("upstream_model", name, longest=100),
        description=fields.text("description"),
        status=fields.choice("status", LlmStatus.values, LlmStatus.PUBLISHED),
        sold_from=fields.moment("sold_from"),
        sold_until=fields.moment("sold_until"),
        capabilities=_checked(fields, "capabilities", Capabilities.from_json),
        limits=_checked(fields, "limits", Limits.from_json),
        licence=fields.text("licence", longest=100),
        commercial_use=fields.truth("commercial_use", default=True),
        mappings=tuple(_mapping(mapping) for mapping in fields.items("mappings", f"a mapping of {name}")),
    )
    fields.done()
    _refuse_twice(fields.file, ((Name.at("mapping", one.line), _mapping_key(one)) for one in entry.mappings))
    return entry


def _mapping_key(entry: MappingEntry) -> tuple[str, str, str]:
    return entry.catalog, entry.upstream, entry.operation


def _mapping(fields: Fields) -> MappingEntry:
    entry = MappingEntry(
        line=fields.line,
        catalog=fields.name("catalog"),
        upstream=fields.name("upstream"),
        operation=fields.text("operation", "generate", longest=40),
        endpoint_slug=fields.optional_name("endpoint_slug"),
        upstream_endpoint=fields.text("upstream_endpoint", longest=200),
        upstream_shape=fields.text("upstream_shape", longest=40),
        sale_prices=fields.name("sale_prices"),
        cost_prices=fields.optional_name("cost_prices"),
        poll_seconds=fields.seconds("poll_seconds", 2),
        deadline_seconds=fields.seconds("deadline_seconds", 900),
        expected_seconds=fields.optional_seconds("expected_seconds"),
        priority=fields.whole("priority", 100, least=-1_000_000),
        weight=fields.whole("weight", 1),
        default_for_wires=[str(wire) for wire in fields.names("default_for_wires")],
        extra=[str(name) for name in fields.names("extra")],
        write_lyrics=fields.truth("write_lyrics", default=False),
        is_enabled=fields.truth("enabled", default=True),
    )
    fields.done()
    return entry


def _checked(fields: Fields, key: str, read: Callable[[Mapping[str, Any]], Read]) -> Read:
    try:
        return read(fields.plain(key))
    except BadValue as error:
        raise fields.error(str(error), fields.inner_line(key, error.name)) from None


def _refuse_twice(file: str, keys: Iterable[tuple[Name, tuple[Any, ...]]]) -> None:
    seen: set[tuple[Any, ...]] = set()
    for name, key in keys:
        if key in seen:
            raise OfferError(file, name.line, f"{str(name)!r} is there twice")
        seen.add(key)
