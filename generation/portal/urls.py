from __future__ import annotations

from django.urls import path, re_path

from generation.portal.views import FrontDoor, Songs

urlpatterns = [
    path("", FrontDoor.as_view(), name="front_door"),
    re_path(r"^songs/?$", Songs.as_view(), name="songs"),
]
