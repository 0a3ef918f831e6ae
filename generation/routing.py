from __future__ import annotations

from django.urls import re_path

from generation.consumers import Jobs

websocket_urlpatterns = [re_path(r"^ws/v1/jobs/?$", Jobs.as_asgi())]
