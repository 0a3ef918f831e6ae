"""The Django admin with a site of our own. In `config.apps` Django would take it for the app of `config` itself."""

from __future__ import annotations

from importlib import import_module

from django.contrib.admin.apps import SimpleAdminConfig


class AdminApp(SimpleAdminConfig):
    """Models are registered by our own modules alone: Django's search would bring in its groups, which rule nothing."""

    default = False
    default_site = "accounts.admin.site.TuttiAdminSite"

    def ready(self) -> None:
        super().ready()
        import_module("generation.admin")
