"""A whole Tutti of its own: a process on a free port, with its files and database in a folder of the test."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
STOP_SECONDS = 150

QUICK_RECOVERY = {"TUTTI_LEASE_SECONDS": "3", "TUTTI_LEASE_RENEW_SECONDS": "1", "TUTTI_SWEEP_SECONDS": "1"}
"""The same rules as ever, on a shorter clock."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class TuttiServer:
    """`manage.py serve`, from migrated database and demo data to its end."""

    def __init__(self, var: Path, *, database_url: str | None = None, **variables: str) -> None:
        self.var = var
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._variables = {"TUTTI_VAR": str(var), "PORT": str(self.port), "TUTTI_LOG_LEVEL": "INFO", **variables}
        if database_url is not None:
            self._variables["DATABASE_URL"] = database_url
        self._process: subprocess.Popen[bytes] | None = None

    # --- Life ----------------------------------------------------------------------------------------------------

    def start(self, **variables: str) -> None:
        """Start and wait until it answers; further variables are for this start alone."""
        self.launch(**variables)
        end = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self._process is not None
            assert self._process.poll() is None, f"the server ended by itself:\n{self.log}"
            assert time.monotonic() < end, f"the server does not answer:\n{self.log}"
            time.sleep(0.1)

    def launch(self, **variables: str) -> None:
        with (self.var / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", "serve", "--port", str(self.port)],
                cwd=ROOT,
                env=self._environment(variables),
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def ask_to_stop(self) -> None:
        self.send_signal(signal.SIGTERM)

    def send_signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def wait_for_end(self) -> int:
        """The exit code; negative is the signal that ended it."""
        assert self._process is not None
        return self._process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """As a power cut would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(STOP_SECONDS)

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()

    # --- What is there -------------------------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        return (self.var / "server.log").read_text(errors="replace")

    @cached_property
    def demo(self) -> dict[str, Any]:
        """The demo's keys and names, after its data was written and its balances restored."""
        self.manage("migrate", "--verbosity", "0")
        written: dict[str, Any] = json.loads(self.manage("demo_data", "--reset", "--json").splitlines()[-1])
        return written

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self._environment({}),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"manage.py {' '.join(arguments)} failed:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def ask_database(self, expression: str) -> Any:
        """The value of a Python expression over the models, as JSON."""
        code = (
            "import json\nfrom accounts.tenancy import system_scope\nfrom billing.models import *\n"
            "from generation.models import *\nfrom collections import Counter\n"
            f"with system_scope():\n    print(json.dumps({expression}, default=str))"
        )
        return json.loads(self.manage("shell", "--verbosity", "0", "--command", code).splitlines()[-1])

    def states(self) -> dict[str, int]:
        found: dict[str, int] = self.ask_database("Counter(Job.objects.values_list('state', flat=True))")
        return found

    def wait_for_states(self, wanted: Mapping[str, int], *, within_seconds: float = 120) -> None:
        end = time.monotonic() + within_seconds
        while (found := self.states()) != wanted:
            assert time.monotonic() < end, f"{found} instead of {wanted}:\n{self.log[-4000:]}"
            time.sleep(0.3)

    def calls_upstream(self) -> int:
        """How often a provider was called, over all starts."""
        return len(re.findall(r"Calling \w+ for job", self.log))

    def threads(self) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.findall(r"Threads:\s+(\d+)", status)[0])

    def sqlite_connections(self) -> int:
        """Open handles of the database file itself: one for each connection."""
        opened = [handle.readlink() for handle in Path(f"/proc/{self.pid}/fd").iterdir() if handle.is_symlink()]
        return sum(name == self.var / "tutti.sqlite3" for name in opened)

    def order(self, key: str, body: Mapping[str, Any], **headers: str) -> httpx.Response:
        return httpx.post(
            f"{self.url}/v1/music/generations",
            json=body,
            headers={"Authorization": f"Bearer {self.demo['keys'][key]}", **headers},
            timeout=300,
        )

    def _environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        return {**os.environ, **self._variables, **variables}

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", timeout=5).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False
