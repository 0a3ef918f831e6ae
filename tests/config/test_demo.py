"""The demo: a first song over the REST API, its receipt, and how to go on."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import av

from billing.services.receipt import Receipt
from config.demo import ORDER, FirstSong, curl_line, tell
from tests.scenarios.servers import free_port

ROOT = Path(__file__).resolve().parents[2]
WORLD = {
    "base_url": "http://127.0.0.1:8000",
    "customer": {"email": "ada@example.org", "password": "a b c"},
    "keys": {"funded": "tt_live_x"},
}


def test_first_order_is_the_documented_example() -> None:
    assert json.loads(ORDER.read_text()) == {
        "model": "music-2.6",
        "catelogid": "music_gen",
        "prompt": "Pop music, happy, suitable for a sunny day",
        "lyrics": "[Intro]\n\n[Verse]\nWalking down the street\nFeeling the beat\n\n"
        "[Chorus]\nDancing in the sun\nHaving so much fun",
    }


def test_curl_line_orders_the_same_when_pasted() -> None:
    words = shlex.split(curl_line(base_url="http://127.0.0.1:8000", key="tt_live_x"))

    assert words[:3] == ["curl", "-sS", "http://127.0.0.1:8000/v1/music/generations"]
    assert "Authorization: Bearer tt_live_x" in words
    assert json.loads(words[-1]) == json.loads(ORDER.read_text())


def test_receipt_and_ways_on_are_told() -> None:
    receipt = Receipt(held_micro=350_000, charged_micro=350_000, released_micro=0)
    song = FirstSong(file=ROOT / "var" / "x.mp3", duration_seconds=41.24, quoted_micro=350_000, receipt=receipt)
    said: list[str] = []

    tell(song, WORLD, said.append)

    assert said[:-2] == [
        "Your first song: var/x.mp3 (41.2 s)",
        "  quote            0.35 credits",
        "  hold             0.35 credits",
        "  charge           0.35 credits",
        "  released         0.00 credits",
        "Portal: http://127.0.0.1:8000/  sign in as ada@example.org with a b c",
        "API:    http://127.0.0.1:8000/docs",
    ]
    assert said[-2:] == ["Order another:", f"  {curl_line(base_url='http://127.0.0.1:8000', key='tt_live_x')}"]


def test_demo_from_an_empty_folder_ends_with_a_song(tmp_path: Path) -> None:
    variables = {"TUTTI_VAR": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path}/t.sqlite3", "DEMO_EXIT": "1"}
    environment = {**os.environ, **variables, "PORT": str(free_port())}
    command = [sys.executable, "manage.py"]
    subprocess.run([*command, "migrate", "--verbosity", "0"], cwd=ROOT, env=environment, check=True)

    demo = subprocess.run([*command, "demo"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert demo.returncode == 0, demo.stderr
    told = dict(re.findall(r"^  (quote|hold|charge) +([\d.]+) credits$", demo.stdout, re.MULTILINE))
    assert told["quote"] == told["hold"]
    assert float(told["hold"]) >= float(told["charge"]) > 0
    with av.open(str(tmp_path / "demo" / "first-song.mp3")) as song:
        (stream,) = song.streams.audio
        assert stream.channels == 2
        assert 30 <= (song.duration or 0) / av.time_base <= 60


def test_demo_that_fails_says_why_and_ends_with_a_failure(tmp_path: Path) -> None:
    variables = {"TUTTI_VAR": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path}/t.sqlite3", "DEMO_EXIT": "1"}
    # Every slot is gone, so the order is refused: nothing else about the demo differs.
    environment = {**os.environ, **variables, "PORT": str(free_port()), "TUTTI_QUEUE_LIMIT": "0"}
    command = [sys.executable, "manage.py"]
    subprocess.run([*command, "migrate", "--verbosity", "0"], cwd=ROOT, env=environment, check=True)

    demo = subprocess.run([*command, "demo"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert demo.returncode == 1
    assert "The demo failed: POST /v1/music/generations: 503" in demo.stderr
