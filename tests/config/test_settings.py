"""Production starts with its secrets or not at all; what is missing is named, with the way to mend it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMPLETE = {
    "TUTTI_PRODUCTION": "1",
    "TUTTI_SECRET_KEY": "x" * 64,
    "TUTTI_SEALING_KEYS": "kKx0C0hJc6jq2oYQ1uBZyQz3n3cFhZ8mJXkq4t5u6v8=",
    "TUTTI_ALLOWED_HOSTS": "music.example.org",
    "TUTTI_BASE_URL": "https://music.example.org",
}


def values(expression: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """What the settings say in a process of its own with these variables."""
    code = f"from config import settings; print(({expression}))"
    inherited = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=inherited | {"PYTHONPATH": str(ROOT / "platform"), "TUTTI_VAR": str(folder)} | variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", sorted(COMPLETE.keys() - {"TUTTI_PRODUCTION"}))
def test_production_without_a_secret_does_not_start(name: str, tmp_path: Path) -> None:
    variables = {key: value for key, value in COMPLETE.items() if key != name}

    result = values("settings.DEBUG", tmp_path, **variables)

    assert result.returncode == 1
    assert f"ImproperlyConfigured: {name} is not set. Production needs it: set it to" in result.stderr


def test_production_with_its_secrets_starts_closed(tmp_path: Path) -> None:
    names = "settings.DEBUG, settings.ALLOWED_HOSTS, settings.SESSION_COOKIE_SECURE, settings.CORS_ALLOWED_ORIGINS"

    result = values(names, tmp_path, **COMPLETE)

    assert result.stdout.strip() == "(False, ['music.example.org'], True, [])", result.stderr


def test_production_refuses_to_kill_itself_on_purpose(tmp_path: Path) -> None:
    result = values("settings.DEBUG", tmp_path, **COMPLETE, TUTTI_FAULT="settled")

    assert result.returncode == 1
    assert "ImproperlyConfigured: TUTTI_FAULT is set." in result.stderr


def test_without_variables_everything_lives_in_one_process(tmp_path: Path) -> None:
    names = "settings.DATABASES['default']['ENGINE'], settings.CELERY_BROKER_URL, settings.TUTTI_QUEUE_OUTLIVES_PROCESS"

    result = values(names, tmp_path)

    assert result.stdout.strip() == "('django.db.backends.sqlite3', 'memory://localhost/', False)", result.stderr


def test_redis_carries_queue_wake_ups_and_cache(tmp_path: Path) -> None:
    names = "settings.CELERY_BROKER_URL, settings.CHANNEL_LAYERS['default']['BACKEND'], settings.CACHES['default']"

    result = values(names, tmp_path, REDIS_URL="redis://127.0.0.1:1/0")

    assert result.stdout.strip() == (
        "('redis://127.0.0.1:1/0', 'channels_redis.pubsub.RedisPubSubChannelLayer', "
        "{'BACKEND': 'django.core.cache.backends.redis.RedisCache', 'LOCATION': 'redis://127.0.0.1:1/0'})"
    ), result.stderr


def test_postgresql_has_a_connection_for_each_thread_that_asks(tmp_path: Path) -> None:
    result = values(
        "settings.DATABASES['default']['OPTIONS'], settings.DATABASES['default']['CONN_MAX_AGE']",
        tmp_path,
        DATABASE_URL="postgres://tutti:secret@127.0.0.1:5432/tutti",
        TUTTI_WEB_THREADS="5",
        TUTTI_RUNNER_DB_THREADS="3",
        TUTTI_AUDIO_THREADS="1",
    )

    assert result.stdout.strip() == "({'pool': {'min_size': 1, 'max_size': 9, 'timeout': 30}}, 0)", result.stderr


def test_no_request_is_a_transaction(tmp_path: Path) -> None:
    result = values("'ATOMIC_REQUESTS' in settings.DATABASES['default']", tmp_path)

    assert result.stdout.strip() == "False", result.stderr


def test_private_upstreams_are_for_development_unless_asked_for(tmp_path: Path) -> None:
    asked = {"TUTTI_PRIVATE_UPSTREAMS": "1"}
    found = [
        values("settings.TUTTI_PRIVATE_UPSTREAMS", tmp_path, **variables).stdout.strip()
        for variables in ({}, COMPLETE, COMPLETE | asked)
    ]

    assert found == ["True", "False", "True"]


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("", "([], False)"),
        ("https://a.example,https://b.example", "(['https://a.example', 'https://b.example'], False)"),
        ("*", "([], True)"),
    ],
)
def test_origins_are_named_or_all(given: str, read: str, tmp_path: Path) -> None:
    names = "settings.CORS_ALLOWED_ORIGINS, settings.CORS_ALLOW_ALL_ORIGINS"

    assert values(names, tmp_path, TUTTI_CORS_ORIGINS=given).stdout.strip() == read


def test_key_of_a_private_network_is_named_by_a_variable(tmp_path: Path) -> None:
    assert values("settings.MUSICGEN_DEFAULT_KEY", tmp_path).stdout.strip() == ""
    assert values("settings.MUSICGEN_DEFAULT_KEY", tmp_path, MUSICGEN_DEFAULT_KEY="k").stdout.strip() == "k"
