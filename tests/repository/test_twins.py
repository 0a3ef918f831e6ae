"""Who adds a wire adds its tests: a file without its twin fails here."""

from __future__ import annotations

from generation.dialects.registry import DIALECTS
from generation.providers.registry import provider_named
from tests.repository.tree import ROOT

PROVIDERS = ROOT / "generation" / "providers"
TESTS = ROOT / "tests"
SHARED = {
    *("__init__", "base", "conveys", "downloads", "http", "incoming", "mpeg_frames", "multipart", "parallel"),
    *("registry", "shares", "sse", "untrusted"),
}
"""What providers have in common."""


def provider_names() -> list[str]:
    found = {path.stem for path in PROVIDERS.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    return sorted(found - SHARED)


def test_every_provider_is_registered_under_the_name_of_its_file() -> None:
    assert [provider_named(name).slug for name in provider_names()] == provider_names()


def test_every_provider_has_a_twin_test() -> None:
    folder = TESTS / "generation" / "providers"
    twins = {name: (folder / f"test_{name}.py", folder / name / "test_provider.py") for name in provider_names()}

    assert [name for name, places in twins.items() if not any(place.exists() for place in places)] == []


def test_every_dialect_is_a_file_of_its_name_with_golden_pairs() -> None:
    modules = {slug: type(dialect).__module__ for slug, dialect in DIALECTS.items()}

    assert modules == {slug: f"generation.dialects.{slug}" for slug in DIALECTS}
    for slug in DIALECTS:
        golden = TESTS / "contracts" / "dialects" / slug
        requests = {path.name.removesuffix(".request.json") for path in golden.glob("*.request.json")}
        replies = {path.name.removesuffix(".reply.json") for path in golden.glob("*.reply.json")}
        assert requests == replies != set()
