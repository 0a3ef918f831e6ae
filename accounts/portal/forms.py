from __future__ import annotations

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.utils.translation import gettext_lazy as _


class SignInForm(AuthenticationForm):
    username = forms.EmailField(
        label=_("Email"),
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )

    error_messages = {
        # The same sentence for a wrong address, a wrong password and an account that is closed.
        "invalid_login": _("This e-mail and password do not match."),
        "inactive": _("This e-mail and password do not match."),
    }
