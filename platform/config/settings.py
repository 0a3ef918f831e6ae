"""One settings file; environments differ by variables alone (a `.env` beside manage.py is read too)."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parents[2]
env = environ.Env()
env.read_env(ROOT / ".env")

# --- Embedded or distributed -------------------------------------------------------------------------------------
PRODUCTION = env.bool("TUTTI_PRODUCTION", default=False)
DEBUG = env.bool("TUTTI_DEBUG", default=False)
VAR = Path(env.str("TUTTI_VAR", default=str(ROOT / "var")))
VAR.mkdir(parents=True, exist_ok=True)


def secret(name: str, development: str) -> str:
    """A secret from the environment; only development has a value of its own."""
    if PRODUCTION and not env.str(name, default=""):
        raise ImproperlyConfigured(f"{name} is not set. Production needs it: set {name} to a long random text.")
    return env.str(name, default=development)


SECRET_KEY = secret("TUTTI_SECRET_KEY", "development-only-secret-key-never-used-in-production-0123456789")
SEALING_KEYS = env.list(
    "TUTTI_SEALING_KEYS",
    default=[base64.urlsafe_b64encode(hashlib.sha256(SECRET_KEY.encode()).digest()).decode()],
)
ALLOWED_HOSTS = env.list("TUTTI_ALLOWED_HOSTS", default=[] if PRODUCTION else ["*"])
PORT = env.int("PORT", default=8000)
BASE_URL = env.str("TUTTI_BASE_URL", default=f"http://127.0.0.1:{PORT}").rstrip("/")

# --- The house ---------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "daphne",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "channels",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "config",
    "generation",
    "catalog",
    "billing",
    "accounts",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
LOGIN_URL = "sign-in"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
CSRF_TRUSTED_ORIGINS = [BASE_URL]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ]
        },
    }
]
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

# --- Database ----------------------------------------------------------------------------------------------------
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{VAR / 'tutti.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"] |= {
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            # Without recursive triggers INSERT OR REPLACE would walk round the ledger's guard against DELETE.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA recursive_triggers=ON;",
        },
        "TEST": {"NAME": VAR / "test.sqlite3"},
    }
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
MEDIA_ROOT = VAR / "media"
STATIC_URL = "static/"
STATIC_ROOT = VAR / "static"

# --- Edge --------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.ApiKeyAuthentication",
        "accounts.api.authentication.SessionAuthentication",
    ],
    # A view that forgot to declare who may call it refuses everyone.
    "DEFAULT_PERMISSION_CLASSES": ["accounts.api.access.Permitted"],
    # `?format=` is the caller's own word on this API, never a choice of renderer.
    "URL_FORMAT_OVERRIDE": None,
}
