"""A wrong import is caught, whichever rule it breaks."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.repository.tree import APPS, ROOT

WRONG = {
    "Apps look down: project > work > offer > money > people > ground": (
        "billing/money.py",
        "from generation.states import JobState",
    ),
    "Inside catalog": ("catalog/models/price.py", "from catalog.services import quote"),
    "Inside generation": ("generation/utils.py", ""),
    "The ground is a closed list of three": ("platform/ground/paths.py", ""),
    "The edges know neither framework nor queue nor money": (
        "generation/dialects/registry.py",
        "from django.conf import settings",
    ),
    "Only the way out speaks HTTP to others": ("accounts/services/people.py", "import httpx"),
    "Audio is numbers and files": ("generation/audio/formats.py", "def f():\n    from generation.models import Track"),
    "Only billing touches the rows of the ledger": ("platform/config/checks.py", "from billing.models import Transfer"),
    "Nothing here needs torch": ("generation/apps.py", "import torch"),
}


def test_deliberate_wrong_imports_are_caught(tmp_path: Path) -> None:
    for name in (*APPS, "platform"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "static"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for file, line in WRONG.values():
        with (tmp_path / file).open("a") as module:
            module.write(f"\n{line}\n")

    result = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=tmp_path,
        env={"PYTHONPATH": f"{tmp_path}:{tmp_path / 'platform'}", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 1, result.stderr
    broken = re.findall(r"^(.+) BROKEN\b", result.stdout, re.MULTILINE)
    assert set(WRONG) <= {name.strip() for name in broken}, result.stdout
