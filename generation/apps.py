from __future__ import annotations

from django.apps import AppConfig


class GenerationConfig(AppConfig):
    name = "generation"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # A worker knows the tasks that were imported, by whatever way it was started.
        from generation import tasks  # noqa: F401, PLC0415 - models are ready only now
