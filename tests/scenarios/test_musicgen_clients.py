"""The documented clients of a MusicGen service, as customers have them, against a server with a key for those without.

They stand in `clients` as documented; the address of the server is put in, and in Python a larger buffer for lines.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Download, sync_playwright

from tests.scenarios.playing import play
from tests.scenarios.servers import TuttiServer, free_port

pytestmark = [pytest.mark.whole_server, pytest.mark.timeout(300)]

CLIENTS = Path(__file__).parent / "clients"
DOCUMENTED_SERVER = "http://localhost:5555"
PAGE = '<!doctype html><meta charset="utf-8"><title>A page of another house</title><script src="client.js"></script>'
CLIENT_SECONDS = 120


@dataclass(frozen=True)
class Place:
    """A server that takes callers without a key, and the address of a page that may call it."""

    server: TuttiServer
    page: str
    folder: Path

    def client(self, name: str) -> str:
        text = (CLIENTS / name).read_text(encoding="utf-8")
        assert DOCUMENTED_SERVER in text
        return text.replace(DOCUMENTED_SERVER, self.server.url)

    def assert_one_song_was_sold(self) -> None:
        assert self.server.states() == {"succeeded": 1}
        assert self.server.manage("reconcile") == "The books balance: 1 jobs, no disagreement.\n"


class QuietFiles(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None: ...


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    home, pages = tmp_path / "home", tmp_path / "pages"
    home.mkdir()
    pages.mkdir()
    other = ThreadingHTTPServer(("127.0.0.1", free_port()), partial(QuietFiles, directory=str(pages)))
    other.daemon_threads = True
    threading.Thread(target=other.serve_forever, daemon=True).start()
    page = f"http://127.0.0.1:{other.server_port}"
    server = TuttiServer(home)
    server.start(MUSICGEN_DEFAULT_KEY=server.demo["keys"]["funded"], TUTTI_CORS_ORIGINS=page)
    yield Place(server, page, pages)
    server.close()
    other.shutdown()
    other.server_close()


def test_the_documented_python_client_saves_a_song_that_plays(place: Place, tmp_path: Path) -> None:
    session = "aiohttp.ClientSession()"
    text = place.client("musicgen_client.py")
    assert text.count(session) == 1
    script = tmp_path / "client.py"
    script.write_text(text.replace(session, "aiohttp.ClientSession(read_bufsize=2**24)"), encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-X", "utf8", str(script)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=CLIENT_SECONDS,
        check=False,
    )

    said = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + place.server.log
    assert said[0] == "开始生成音乐..."
    assert any(line.startswith("生成进度: ") for line in said[1:-2])
    assert said[-2:] == ["音乐生成完成！", "音频已保存到: output/generated_music.wav"]
    assert abs(play((tmp_path / "output" / "generated_music.wav").read_bytes()).seconds - 15) < 0.1
    place.assert_one_song_was_sold()


def test_the_documented_javascript_client_downloads_a_song_that_plays(place: Place, tmp_path: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed: the documented JavaScript client was not run")
    (place.folder / "index.html").write_text(PAGE, encoding="utf-8")
    (place.folder / "client.js").write_text(place.client("musicgen_client.js"), encoding="utf-8")

    said, song = run_in_browser(chromium, f"{place.page}/index.html")

    assert said[0] == "开始生成音乐..."
    assert any(line.startswith("生成进度: ") for line in said[1:-1])
    assert said[-1] == "音乐生成完成！"
    target = tmp_path / "song.wav"
    assert song.suggested == "generated_music.wav"
    target.write_bytes(song.audio)
    assert abs(play(target.read_bytes()).seconds - 20) < 0.1
    place.assert_one_song_was_sold()


@dataclass(frozen=True)
class Saved:
    """What a browser has downloaded, and under which name."""

    suggested: str
    audio: bytes


def run_in_browser(chromium: str, address: str) -> tuple[list[str], Saved]:
    """What the page said in its console, and the file it gave its visitor."""
    said: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            page = browser.new_page(accept_downloads=True)
            page.on("console", lambda message: said.append(message.text))
            with page.expect_download(timeout=CLIENT_SECONDS * 1000) as expected:
                page.goto(address)
            return [line for line in said if "favicon" not in line and "404" not in line], _saved(expected.value)
        finally:
            browser.close()


def _saved(download: Download) -> Saved:
    return Saved(download.suggested_filename, download.path().read_bytes())
