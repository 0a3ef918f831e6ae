from __future__ import annotations

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"
    verbose_name = "Project"

    def ready(self) -> None:
        # Registers the system checks; the Celery application must exist before anything is sent.
        from config import celery, checks  # noqa: F401, PLC0415
