"""The offer as a file says it: one frozen value per thing, each knowing its line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from catalog.capabilities import Capabilities, Limits
from catalog.offers.nodes import Name, OfferError


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEntry:
    """An organization that makes songs; created where it does not exist."""

    slug: Name
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogEntry:
    id: Name
    name: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamEntry:
    """`credential_env` names the environment variable the credential is read from; None leaves it as it is."""

    slug: Name
    owner: Name
    name: str
    provider: str
    base_url: str
    credential_env: Name | None
    slots: int
    connect_seconds: float
    deadline_seconds: float
    is_enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceEntry:
    """`begins` None: now. `ends` None: until another price of the same unit and filters begins."""

    line: int
    unit: str
    amount_micro: int
    filters: dict[str, Any]
    begins: datetime | None
    ends: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramEntry:
    """A price program. Its rows are the whole of it: a price that is not listed ends."""

    slug: Name
    owner: Name
    name: str
    rows: tuple[PriceEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingEntry:
    line: int
    catalog: Name
    upstream: Name
    operation: str
    endpoint_slug: Name | None
    upstream_endpoint: str
    upstream_shape: str
    sale_prices: Name
    cost_prices: Name | None
    poll_seconds: float
    deadline_seconds: float
    expected_seconds: float | None
    priority: int
    weight: int
    default_for_wires: list[str]
    extra: list[str]
    write_lyrics: bool
    is_enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry:
    name: Name
    owner: Name
    provider: Name
    aliases: list[str]
    upstream_model: str
    description: str
    status: str
    sold_from: datetime | None
    sold_until: datetime | None
    capabilities: Capabilities
    limits: Limits
    licence: str
    commercial_use: bool
    mappings: tuple[MappingEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferFile:
    """Everything a file says, in its order."""

    file: str
    providers: tuple[ProviderEntry, ...]
    catalogs: tuple[CatalogEntry, ...]
    upstreams: tuple[UpstreamEntry, ...]
    programs: tuple[ProgramEntry, ...]
    models: tuple[ModelEntry, ...]

    def error(self, message: str, line: int) -> OfferError:
        return OfferError(self.file, line, message)
