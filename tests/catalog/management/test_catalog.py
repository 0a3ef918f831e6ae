from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Organization
from catalog.models import Llm, LlmCatalog, LlmStatus

Write = Callable[[str], Path]
LYRICS = "catalogs:\n  lyrics: {name: Lyrics}\n"


def run(*arguments: str | Path) -> str:
    out = StringIO()
    call_command("catalog", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_apply_prints_each_change_and_then_no_change(db: None, offer_file: Write) -> None:
    file = offer_file(LYRICS)

    assert run("apply", file) == "catalog lyrics: created\n"
    assert run("apply", file) == "no change\n"


def test_export_prints_what_apply_reads(db: None, offer_file: Write) -> None:
    run("apply", offer_file(LYRICS))

    assert run("export") == LYRICS


def test_apply_prunes_only_when_told(platform: Organization, offer_file: Write) -> None:
    one, two = (f"  - {{name: {name}, owner: tutti, provider: tutti}}\n" for name in ("one", "two"))
    run("apply", offer_file(f"models:\n{one}{two}"))
    shorter = offer_file(f"models:\n{one}")

    assert run("apply", shorter) == "no change\n"
    assert run("apply", shorter, "--prune") == "model two: retired\n"
    assert Llm.objects.get(public_name="two").status == LlmStatus.RETIRED


def test_apply_of_a_bad_file_says_where_and_changes_nothing(db: None, offer_file: Write) -> None:
    file = offer_file(LYRICS + "  poems: {nam: Poems}\n")

    with pytest.raises(CommandError) as caught:
        run("apply", file)

    assert str(caught.value) == f"{file}:3: poems needs 'name'"
    assert not LlmCatalog.objects.exists()


def test_apply_of_a_missing_file_says_so(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        run("apply", tmp_path / "none.yaml")
