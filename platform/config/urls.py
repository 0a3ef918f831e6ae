"""Every route of the project; each is a view of `accounts.api.views.GatewayView`, or one that the admin site guards."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from config.views import Health
from generation.api.urls import both

urlpatterns: list[URLPattern | URLResolver] = [
    *both("healthz", Health.as_view()),
    path("", include("generation.api.urls")),
    path("", include("accounts.portal.urls")),
    path("", include("generation.portal.urls")),
    path("admin", admin.site.admin_view(admin.site.index)),
    path("admin/", admin.site.urls),
]

handler400 = "generation.api.errors.not_understood"
handler403 = "generation.api.errors.forbidden"
handler404 = "generation.api.errors.unknown_path"
handler500 = "generation.api.errors.failed"
