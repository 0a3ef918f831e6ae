from __future__ import annotations

from django.urls import re_path

from accounts.portal.views import SignIn, SignOut

urlpatterns = [
    re_path(r"^sign-in/?$", SignIn.as_view(), name="sign_in"),
    re_path(r"^sign-out/?$", SignOut.as_view(), name="sign_out"),
]
