from importlib import import_module

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Both are known to Django and to the schema generator by being imported.
        for module in ("accounts.checks", "accounts.api.schema"):
            import_module(module)
