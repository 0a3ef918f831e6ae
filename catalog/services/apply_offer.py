"""Brings the offer in the database to what a file says: all of it in one transaction, or nothing."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from accounts.models import Organization
from accounts.permissions import PROVIDER
from accounts.services.organizations import create_organization
from accounts.tenancy import system_scope
from catalog.models import Llm, LlmCatalog, LlmMapping, LlmStatus, PriceProgram, Upstream
from catalog.offers.entries import MappingEntry, ModelEntry, OfferFile, ProgramEntry, ProviderEntry, UpstreamEntry
from catalog.offers.nodes import Name
from catalog.offers.read import read_offer
from catalog.services.apply_prices import apply_prices

Row = TypeVar("Row", bound=models.Model)


def apply_offer(
    *,
    file: Path,
    prune: bool = False,
    at: datetime | None = None,
    environment: Mapping[str, str] | None = None,
) -> list[str]:
    """Apply an offer file; a line for each change, none when everything was so already.

    The file is the whole truth about each thing it lists: a key that is left out has its default, a price that is
    left out ends. What it does not list stays as it is; with `prune`, models it does not list are retired and
    mappings it does not list switched off, within the organizations whose models it lists. Nothing is ever deleted
    that an order may have used. `environment` is where credentials come from.

    Raises offers.nodes.OfferError naming file and line, and then nothing was changed; OSError without the file.
    """
    offer = read_offer(file.read_text(encoding="utf-8"), file=str(file))
    with transaction.atomic(), system_scope():
        application = _Application(offer, at or timezone.now(), os.environ if environment is None else environment)
        application.write()
        if prune:
            application.prune()
        return application.changes


class _Application:
    """One file on its way into the database, and what it has changed so far."""

    def __init__(self, offer: OfferFile, at: datetime, environment: Mapping[str, str]) -> None:
        self.offer, self.at, self.environment = offer, at, environment
        self.changes: list[str] = []
        self.listed: set[int] = set()
        """Ids of the mappings the file lists."""

    def write(self) -> None:
        for provider in self.offer.providers:
            self._write_provider(provider)
        for catalog in self.offer.catalogs:
            values = {"name": catalog.name, "description": catalog.description}
            self._put("catalog", catalog.id, LlmCatalog, {"id": catalog.id}, values)
        for upstream in self.offer.upstreams:
            self._write_upstream(upstream)
        for program in self.offer.programs:
            self._write_program(program)
        for model in self.offer.models:
            self._write_model(model)

    def prune(self) -> None:
        owners = {self._organization(model.owner).pk for model in self.offer.models}
        listed = {(self._organization(model.owner).pk, model.name) for model in self.offer.models}
        for llm in Llm.objects.filter(owner__in=owners).exclude(status=LlmStatus.RETIRED).order_by("pk"):
            if (llm.owner_id, llm.public_name) not in listed:
                Llm.objects.filter(pk=llm.pk).update(status=LlmStatus.RETIRED)
                self.changes.append(f"model {llm.public_name}: retired")
        kept = LlmMapping.objects.filter(llm__owner__in=owners, is_enabled=True).exclude(pk__in=self.listed)
        for mapping in kept.exclude(llm__status=LlmStatus.RETIRED).select_related("llm", "upstream").order_by("pk"):
            LlmMapping.objects.filter(pk=mapping.pk).update(is_enabled=False)
            self.changes.append(f"mapping {mapping}: switched off")

    def _write_provider(self, entry: ProviderEntry) -> None:
        provider = Organization.objects.filter(slug=str(entry.slug)).first()
        if provider is None:
            create_organization(name=str(entry.name), slug=str(entry.slug), kinds=[PROVIDER])
            self.changes.append(f"provider {entry.slug}: created")
        elif not provider.is_provider:
            raise self.offer.error(f"the organization {entry.slug} is there and is no provider", entry.slug.line)
        elif provider.name != entry.name:
            Organization.objects.filter(pk=provider.pk).update(name=str(entry.name))
            self.changes.append(f"provider {entry.slug}: name changed")

    def _write_upstream(self, entry: UpstreamEntry) -> None:
        values = _values(entry, without=("slug", "owner", "credential_env"))
        values["organization_id"] = self._organization(entry.owner).pk
        # A credential that was typed in by hand is no business of the file.
        if entry.credential_env is not None:
            values |= {"credential_env": entry.credential_env, "credential": self._secret(entry.credential_env)}
        self._put("upstream", entry.slug, Upstream, {"slug": entry.slug}, values)

    def _secret(self, variable: Name) -> str:
        secret = self.environment.get(variable, "")
        if not secret:
            raise self.offer.error(f"the environment variable {variable} is not set", variable.line)
        return secret

    def _write_program(self, entry: ProgramEntry) -> None:
        values = {"name": entry.name, "owner_id": self._organization(entry.owner).pk}
        program = self._put("prices", entry.slug, PriceProgram, {"slug": entry.slug}, values)
        self.changes += apply_prices(program=program, rows=entry.rows, at=self.at)

    def _write_model(self, entry: ModelEntry) -> None:
        values = _values(entry, without=("name", "owner", "provider", "mappings"))
        values["capabilities"], values["limits"] = entry.capabilities.as_json(), entry.limits.as_json()
        values["provider_id"] = self._organization(entry.provider).pk
        owner = self._organization(entry.owner)
        llm = self._put("model", entry.name, Llm, {"owner_id": owner.pk, "public_name": entry.name}, values)
        for mapping in entry.mappings:
            self._write_mapping(llm, mapping)

    def _write_mapping(self, llm: Llm, entry: MappingEntry) -> None:
        values = _values(entry, without=("line", "operation", "catalog", "upstream", "sale_prices", "cost_prices"))
        values["sale_prices_id"] = self._referenced("price program", PriceProgram, "slug", entry.sale_prices)
        values["cost_prices_id"] = entry.cost_prices and self._referenced(
            "price program", PriceProgram, "slug", entry.cost_prices
        )
        key = {
            "llm_id": llm.pk,
            "catalog_id": self._referenced("catalog", LlmCatalog, "id", entry.catalog),
            "upstream_id": self._referenced("upstream", Upstream, "slug", entry.upstream),
            "operation": entry.operation,
        }
        label = Name.at(f"{llm.public_name} in {entry.catalog} through {entry.upstream}", entry.line)
        self.listed.add(self._put("mapping", label, LlmMapping, key, values).pk)

    def _organization(self, slug: Name) -> Organization:
        organization = Organization.objects.filter(slug=str(slug)).first()
        if organization is None:
            raise self.offer.error(f"there is no organization {str(slug)!r}", slug.line)
        return organization

    def _referenced(self, kind: str, model: type[models.Model], field: str, name: Name) -> Any:
        row = model._default_manager.filter(**{field: str(name)}).first()  # noqa: SLF001  the documented name
        if row is None:
            raise self.offer.error(f"there is no {kind} {str(name)!r}", name.line)
        return row.pk

    def _put(self, kind: str, label: Name, model: type[Row], key: dict[str, Any], values: dict[str, Any]) -> Row:
        """Write a row only where it differs, after the checks of its model; note what was changed by name alone."""
        found = model._default_manager.filter(**_plain(key)).first()  # noqa: SLF001
        row = found or model(**_plain(key))
        values = _plain(values)
        differing = [name for name, value in values.items() if found is None or getattr(row, name) != value]
        if not differing:
            return row
        for name in differing:
            setattr(row, name, values[name])
        self._check(row, label)
        row.save()
        what = "created" if found is None else f"{', '.join(sorted(differing))} changed"
        self.changes.append(f"{kind} {label}: {what}")
        return row

    def _check(self, row: models.Model, label: Name) -> None:
        # References were looked up already, and an address inside a private network has no public domain.
        skipped = {field.name for field in row._meta.fields if field.is_relation} | {"base_url"}  # noqa: SLF001
        try:
            row.full_clean(exclude=skipped)
        except ValidationError as error:
            raise self.offer.error("; ".join(_sentences(error)), label.line) from None


def _values(entry: Any, *, without: Collection[str]) -> dict[str, Any]:
    names = [field.name for field in dataclasses.fields(entry)]
    return {name: getattr(entry, name) for name in names if name not in without}


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Without the lines: database drivers know the type `str` alone."""
    return {name: str(value) if isinstance(value, Name) else value for name, value in values.items()}


def _sentences(error: ValidationError) -> list[str]:
    return [f"{field}: {' '.join(messages)}" for field, messages in error.message_dict.items()]
