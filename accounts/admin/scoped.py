"""The one base class of every admin: whose rows are shown, and who may do what with them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest

from accounts.admin.visitors import organizations_with
from accounts.permissions import WORDS
from ground.sealed import SealedTextField


class OrganizationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django's takes none at run time
    """Rows of the organizations in which the person holds the word for it; a foreign and a missing id answer alike.

        class UpstreamAdmin(OrganizationAdmin):
            view_word = "upstreams.manage"
            fields = ("name", "slug")

    What no word is declared for, nobody may do. Lists filter by what `list_filter` declares and by nothing else.
    Sealed columns are not even read.
    """

    view_word: ClassVar[str]
    add_word: ClassVar[str | None] = None
    change_word: ClassVar[str | None] = None
    delete_word: ClassVar[str | None] = None
    organization_field: ClassVar[str] = "organization"
    """The foreign key that says whose a row is."""
    view_on_site = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        words = {getattr(cls, "view_word", None), cls.add_word, cls.change_word, cls.delete_word} - {None}
        if not hasattr(cls, "view_word") or not words <= WORDS:
            raise ImproperlyConfigured(f"{cls.__name__} needs a view_word, and permission words alone")
        if not cls.fields:
            raise ImproperlyConfigured(f"{cls.__name__} names no fields: it would show every column")

    def rows_with(self, request: HttpRequest, word: str, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the rows whose organization grants the person this word."""
        return rows.filter(**{f"{self.organization_field}__in": organizations_with(request, word)})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        sealed = [field.name for field in self.opts.concrete_fields if isinstance(field, SealedTextField)]
        return self.rows_with(request, self.view_word, super().get_queryset(request)).defer(*sealed)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found = super().get_object(request, object_id, from_field)
        if found is None:
            raise Http404
        return found

    def may(self, request: HttpRequest, word: str | None, row: Model | None = None) -> bool:
        """Whether the person holds the word in the row's organization; without a row, in any."""
        held = organizations_with(request, word) if word else frozenset()
        return bool(held) if row is None else getattr(row, f"{self.organization_field}_id") in held

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.may(request, self.view_word)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.may(request, self.view_word, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may(request, self.add_word)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.may(request, self.change_word, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.may(request, self.delete_word, obj)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Django's own rule lets any column of the model be asked for in the address, character by character."""
        declared = [name for name in self.list_filter if isinstance(name, str)]
        return any(lookup in (name, f"{name}__exact", f"{name}__isnull") for name in declared)
