"""Whose rows may be read now.

A scope is a set of organizations. The default manager of every tenant row reads the scope and raises outside one,
so a forgotten filter fails instead of leaking.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, TypeVar

from django.db import models

if TYPE_CHECKING:
    from accounts.models.organization import Organization

Row = TypeVar("Row", bound=models.Model)


class OutsideScope(RuntimeError):
    """A tenant row was asked for while no organization was in scope."""


class _Everyone:
    def __repr__(self) -> str:
        return "<every organization>"


EVERYONE: Final = _Everyone()
_scope: ContextVar[frozenset[int] | _Everyone | None] = ContextVar("tutti_scope", default=None)


@contextmanager
def scope(*organizations: Organization | int) -> Iterator[None]:
    """Read and write the rows of these organizations only."""
    token = _scope.set(frozenset(_ids(organizations)))
    try:
        yield
    finally:
        _scope.reset(token)


@contextmanager
def system_scope() -> Iterator[None]:
    """Work that belongs to no tenant: runners, sweeps, settlement, commands."""
    token = _scope.set(EVERYONE)
    try:
        yield
    finally:
        _scope.reset(token)


def _ids(organizations: Iterable[Organization | int]) -> Iterator[int]:
    for organization in organizations:
        yield organization if isinstance(organization, int) else organization.pk


class ScopedManager(models.Manager[Row]):
    """Rows of the organizations in scope; raises `OutsideScope` when there is none."""

    def get_queryset(self) -> models.QuerySet[Row]:
        current = _scope.get()
        if current is None:
            raise OutsideScope(f"{self.model.__name__} was read outside an organization's scope")
        rows = super().get_queryset()
        if isinstance(current, _Everyone):
            return rows
        return rows.filter(organization_id__in=current)


class TenantRow(models.Model):
    """A row that belongs to one organization."""

    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="+")

    objects = ScopedManager()
    unscoped = models.Manager()  # noqa: DJ012 - the other manager of the pair

    class Meta:
        abstract = True
        default_manager_name = "objects"
        # Cascades, refreshes and uniqueness checks must see every row, whoever asks.
        base_manager_name = "unscoped"
