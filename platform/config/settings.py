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


def needed(name: str, *, development: str, mend: str) -> str:
    """A variable that production cannot do without; development has a value of its own."""
    value = env.str(name, default="")
    if PRODUCTION and not value:
        raise ImproperlyConfigured(f"{name} is not set. Production needs it: {mend}.")
    return value or development


def sealing_key_from(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode()


HOST = env.str("TUTTI_HOST", default="127.0.0.1")
PORT = env.int("PORT", default=8000)
SECRET_KEY = needed(
    "TUTTI_SECRET_KEY",
    development="development-only-secret-key-never-used-in-production-0123456789",
    mend="set it to 64 random characters, the same for every process",
)
SEALING_KEYS = needed(
    "TUTTI_SEALING_KEYS",
    development=sealing_key_from(SECRET_KEY),
    mend="set it to one or more Fernet keys with commas between, the newest first; "
    "`python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'` makes one",
).split(",")
ALLOWED_HOSTS = needed(
    "TUTTI_ALLOWED_HOSTS", development="*", mend="set it to the host names you serve, with commas between"
).split(",")
BASE_URL = needed(
    "TUTTI_BASE_URL",
    development=f"http://127.0.0.1:{PORT}",
    mend="set it to the address customers use, such as https://music.example.org",
).rstrip("/")
REDIS_URL = env.str("REDIS_URL", default="")
"""Set: queue, wake-ups and cache are shared by processes. Empty: each lives inside the one process."""

# --- The house ---------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "daphne",
    "config.admin_app.AdminApp",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
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
# Every entry must be async-capable: one that is not gives each waiting request a thread again (see config.checks).
MIDDLEWARE = [
    "config.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.StaticFilesMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
AUTH_USER_MODEL = "accounts.User"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

# --- Database ----------------------------------------------------------------------------------------------------
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{VAR / 'tutti.sqlite3'}")}
IS_SQLITE = DATABASES["default"]["ENGINE"].endswith("sqlite3")
# Threads that reach the database, ten connections in all. On SQLite each keeps its own, and one writes at a time.
TUTTI_WEB_THREADS = env.int("TUTTI_WEB_THREADS", default=6 if IS_SQLITE else 8)
"""Shared by the sync parts of all requests of a process; a waiting request holds none."""
TUTTI_RUNNER_DB_THREADS = env.int("TUTTI_RUNNER_DB_THREADS", default=2)
TUTTI_AUDIO_THREADS = env.int("TUTTI_AUDIO_THREADS", default=2)
if IS_SQLITE:
    DATABASES["default"] |= {
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            # Without recursive triggers INSERT OR REPLACE would walk round the ledger's guard against DELETE.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA recursive_triggers=ON;",
        },
        # In memory, threads would meet "table is locked", which no timeout cures.
        "TEST": {"NAME": VAR / "test.sqlite3"},
    }
else:
    DATABASES["default"] |= {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True}
    DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {
        "min_size": 1,
        "max_size": env.int(
            "TUTTI_DATABASE_CONNECTIONS", default=TUTTI_WEB_THREADS + TUTTI_RUNNER_DB_THREADS + TUTTI_AUDIO_THREADS
        ),
        "timeout": 30,
    }
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
MEDIA_ROOT = VAR / "media"
STATIC_URL = "static/"
STATIC_ROOT = VAR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
# Embedded, files are served from where they lie; in production from what `collectstatic` gathered.
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = DEBUG
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 100_000}}
}

# --- Queue and wake-ups ------------------------------------------------------------------------------------------
TUTTI_QUEUE_OUTLIVES_PROCESS = bool(REDIS_URL)
CELERY_BROKER_URL = REDIS_URL or "memory://localhost/"
# In memory a fetch takes one message per round of polling: at the usual second a burst of 200 would take minutes.
# A Redis that is down must not hold up the request that orders: its job is stored, the sweep sends the message later.
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"max_retries": 0, "socket_connect_timeout": 1, "socket_timeout": 2} if REDIS_URL else {"polling_interval": 0.01}
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_DEFAULT_QUEUE = "upstream"
CELERY_TASK_ROUTES = {
    "generation.tasks.run_job": {"queue": "upstream"},
    "generation.tasks.finish_audio": {"queue": "audio"},
    "generation.tasks.make_rendition": {"queue": "audio"},
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True  # the job row is the result
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
    if REDIS_URL
    # A burst of jobs that end together wakes their waiters at once; what does not fit is found a second later.
    else {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 10_000}}
}

# --- The life of a job -------------------------------------------------------------------------------------------
TUTTI_LEASE_SECONDS = env.float("TUTTI_LEASE_SECONDS", default=60)
TUTTI_LEASE_RENEW_SECONDS = env.float("TUTTI_LEASE_RENEW_SECONDS", default=15)
TUTTI_SWEEP_SECONDS = env.float("TUTTI_SWEEP_SECONDS", default=15)
TUTTI_RUNNER_SLOTS = env.int("TUTTI_RUNNER_SLOTS", default=2_000)
TUTTI_QUEUE_LIMIT = env.int("TUTTI_QUEUE_LIMIT", default=100_000)
"""Orders are refused as `busy` above so many queued jobs."""
TUTTI_MAX_ATTEMPTS = env.int("TUTTI_MAX_ATTEMPTS", default=3)
TUTTI_STOP_GRACE_SECONDS = env.float("TUTTI_STOP_GRACE_SECONDS", default=120)

TUTTI_PRIVATE_UPSTREAMS = env.bool("TUTTI_PRIVATE_UPSTREAMS", default=not PRODUCTION)
"""Whether upstreams may lie on this machine or in private networks, at any port; else on the public internet alone."""

TUTTI_CONTENT_PRODUCER = env.str("TUTTI_CONTENT_PRODUCER", default="Tutti")
"""Who made the audio, in the label that tells it was made by a machine."""
TUTTI_FAULT = env.str("TUTTI_FAULT", default="")
"""Tests only: the point at which the process kills itself (see generation.faults)."""
if PRODUCTION and TUTTI_FAULT:
    raise ImproperlyConfigured("TUTTI_FAULT is set. It kills the process on purpose: unset it in production.")

# --- People ------------------------------------------------------------------------------------------------------
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "front_door"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BASE_URL.startswith("https:")
CSRF_TRUSTED_ORIGINS = [BASE_URL]

# --- Edge --------------------------------------------------------------------------------------------------------
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
CORS_ORIGINS = env.list("TUTTI_CORS_ORIGINS", default=[])
"""Whose pages may call the API with a key of their own; `*` for every page. Never with our cookies."""
CORS_ALLOW_ALL_ORIGINS = "*" in CORS_ORIGINS
CORS_ALLOWED_ORIGINS = [origin for origin in CORS_ORIGINS if origin != "*"]
CORS_ALLOW_CREDENTIALS = False
CORS_ALLOW_HEADERS = [
    *("accept", "authorization", "cache-control", "content-type", "range", "x-requested-with"),
    *("x-api-key", "x-goog-api-key", "x-goog-api-client", "x-goog-user-project"),
    *("idempotency-key", "prefer", "last-event-id", "x-request-id"),
    # What OpenAI's client adds in a browser.
    *("openai-organization", "openai-project"),
    *(f"x-stainless-{name}" for name in ("arch", "custom-poll-interval", "helper-method", "lang", "os")),
    *(f"x-stainless-{name}" for name in ("package-version", "poll-helper", "retry-count")),
    *(f"x-stainless-{name}" for name in ("runtime", "runtime-version", "timeout")),
]
CORS_EXPOSE_HEADERS = [
    *("x-request-id", "trace-id", "x-tutti-ignored", "x-tutti-approximated", "x-ai-generated"),
    *("idempotent-replayed", "preference-applied", "location", "retry-after", "x-should-retry"),
    *("accept-ranges", "content-disposition", "content-length", "content-range", "etag"),
]
MUSICGEN_DEFAULT_KEY = env.str("MUSICGEN_DEFAULT_KEY", default="")
"""Private networks: who brings no credential on the wire `musicgen` acts as this API key. Empty: is refused."""
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION and SESSION_COOKIE_SECURE else 0
X_FRAME_OPTIONS = "DENY"
APPEND_SLASH = False  # every path is served with and without one; nothing is redirected
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
    "EXCEPTION_HANDLER": "generation.api.errors.handle",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tutti",
    "VERSION": "0.1.0",
    "DESCRIPTION": "Music generation: one account, one wallet, one API in front of many models.",
    "OAS_VERSION": "3.1.0",
    "PREPROCESSING_HOOKS": ["generation.api.published.only_the_api"],
    "POSTPROCESSING_HOOKS": ["generation.api.published.with_components"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# --- Logs --------------------------------------------------------------------------------------------------------
# Routes, never addresses: a path may carry a signed link, a query a key.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request": {"()": "config.logs.RequestIdFilter"}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(request_id)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request"]}},
    "root": {"handlers": ["console"], "level": env.str("TUTTI_LOG_LEVEL", default="WARNING")},
    "loggers": {
        "tutti": {"level": env.str("TUTTI_LOG_LEVEL", default="INFO")},
        "django": {"handlers": [], "propagate": True},
        "django.request": {"level": "ERROR"},
        "django.server": {"handlers": [], "propagate": False},
        "celery": {"level": "WARNING"},
        "celery.apps.worker": {"level": "INFO"},
        "celery.app.trace": {"level": "ERROR"},  # a stop rejects hand-offs, each with a traceback
        "daphne": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},  # it tells headers, and with them cookies
    },
}
