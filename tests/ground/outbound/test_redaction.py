from __future__ import annotations

import pytest

from ground.outbound.redaction import redacted, secrets_in, without_secrets

HEADERS = {"Authorization": "Bearer sk-very-secret/1+2", "X-API-Key": "another-one", "Accept": "application/json"}


def test_secrets_are_found_by_the_names_of_their_headers_and_parameters() -> None:
    found = secrets_in(HEADERS, "key=in-the-query&alt=sse&token=abc")

    assert {"sk-very-secret/1+2", "another-one", "in-the-query"} <= set(found)
    assert "application/json" not in found
    assert "abc" not in found


@pytest.mark.parametrize(
    "told",
    [
        "Incorrect API key provided: sk-very-secret/1+2.",
        "GET /?k=sk-very-secret%2F1%2B2",
        '{"headers": {"Authorization": "Bearer sk-very-secret/1+2"}}',
        "authorization: bearer unknown-to-us",
        "x-api-key=unknown-to-us",
        '{"x-goog-api-key": "unknown-to-us"}',
        "you sent Bearer unknown-to-us",
        "Set-Cookie: session=unknown-to-us",
    ],
)
def test_no_secret_is_told(told: str) -> None:
    safe = redacted(told, secrets_in(HEADERS))

    assert "sk-very" not in safe
    assert "unknown-to-us" not in safe
    assert "[redacted]" in safe


def test_plain_words_stay_as_they_are() -> None:
    told = "The lyrics are too long: 3600 characters, at most 3500. The bearer of bad news."

    assert redacted(told, secrets_in(HEADERS)) == told


def test_only_harmless_headers_go_to_another_house() -> None:
    assert without_secrets(HEADERS) == {"Accept": "application/json"}
