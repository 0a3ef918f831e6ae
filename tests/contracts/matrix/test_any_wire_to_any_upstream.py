"""The documented example of each wire, ordered at the edge from a model behind each kind of upstream.

What is delivered is what that upstream was asked for, field by field, and sounds as it came; what is refused reached
nobody and holds no credit.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import av
import pytest

from billing.models import Hold
from billing.services.books import check_books
from generation.dialects.digits import digits_of, id_of
from generation.models import Attempt, Job, Track
from tests.contracts.matrix.conftest import USUAL_SECONDS, SongShelf
from tests.contracts.matrix.examples import EXAMPLES, Example, choice_of
from tests.contracts.matrix.upstreams import KINDS, Kind, put_on_sale
from tests.contracts.matrix.wanted import ORDER, TABLE, Asked, Plays, Refuses
from tests.contracts.matrix.wanted import SONG as SONG_BEFORE
from tests.contracts.providers.conftest import Standin
from tests.contracts.providers.upstreams import CREDENTIAL
from tests.generation.audio.test_label import DEMUXERS, packets_sha256
from tests.generation.houses import at_work
from tests.generation.shops import Shop
from tests.generation.worlds import finished, submitted
from tests.scenarios.playing import play

EXTEND: Final = "mureka, extend"
CELLS: Final = [(wire, kind) for wire, row in TABLE.items() for kind in row]
DELIVERED: Final = [(wire, kind) for wire, kind in CELLS if not isinstance(TABLE[wire][kind], Refuses)]
REFUSED: Final = [(wire, kind) for wire, kind in CELLS if isinstance(TABLE[wire][kind], Refuses)]


def test_table_has_every_example_and_every_kind_of_upstream() -> None:
    assert set(TABLE) == set(EXAMPLES)
    assert {wire: set(row) for wire, row in TABLE.items()} == {wire: set(KINDS) for wire in EXAMPLES}


@dataclass
class Scene:
    """A shop in front of one upstream."""

    shop: Shop
    kind: Kind
    standin: Standin | None
    songs: dict[str, str]

    def play(self) -> None:
        if self.standin is not None:
            self.standin.play("good", shape=self.kind.shape, songs=self.songs)

    @property
    def orders(self) -> list[dict[str, Any]]:
        if self.standin is None:
            return []
        found = self.standin.record
        assert found["uploads"] == []
        return list(found["orders"])

    async def order(self, example: Example, **more: Any) -> Any:
        return await self.shop.post(example.path, {**example.body, **more})

    async def song_before(self) -> str:
        """The id of a song that the same upstream made, as the customer knows it."""
        choice = await choice_of(self.shop, await self.order(EXAMPLES["mureka"]))
        self.play()
        return str(choice["id"])


@pytest.fixture
def scene_at(shop: Shop, standin_of: Callable[[str], Standin], songs_of: SongShelf) -> Callable[..., Any]:
    async def scene(name: str, seconds: int) -> Scene:
        kind = KINDS[name]
        standin = None if kind.provider == "rehearsal" else standin_of(kind.provider)
        made = Scene(shop, kind, standin, songs_of.paths(seconds))
        await shop.behind(put_on_sale, shop.world, kind, "" if standin is None else standin.url)
        made.play()
        return made

    return scene


def seconds_of(example: Example, cell: Asked | Plays) -> int:
    """How long a song the upstream makes: as long as it was asked."""
    asked = cell.body.get("duration") if isinstance(cell, Asked) else None
    return int(asked or example.seconds or USUAL_SECONDS)


# --- What is delivered --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("wire", "kind"), DELIVERED)
async def test_example_is_delivered_as_the_upstream_made_it(scene_at: Callable[..., Any], wire: str, kind: str) -> None:
    example, cell = EXAMPLES[wire], TABLE[wire][kind]
    assert not isinstance(cell, Refuses)
    scene: Scene = await scene_at(kind, seconds_of(example, cell))

    with at_work():
        before = {"song_id": await scene.song_before()} if wire == EXTEND else {}
        audio = await example.hear(scene.shop, await scene.order(example, **before))

    if isinstance(cell, Asked):
        await assert_asked(scene, cell, before)
        assert_same_sound(audio, example, cell, scene.songs[cell.gives])
    assert abs(play(audio).seconds - seconds_of(example, cell)) < 0.1 or isinstance(cell, Plays)
    assert await scene.shop.behind(check_books) == []


async def assert_asked(scene: Scene, cell: Asked, before: dict[str, str]) -> None:
    """The upstream got this order, and no other."""
    attempt = await scene.shop.behind(lambda: Attempt.unscoped.latest("pk"))
    theirs = await scene.shop.behind(_upstream_id, before)
    stands_for = {ORDER: str(attempt.reference), SONG_BEFORE: theirs}
    body = {
        name: stands_for.get(value, value) if isinstance(value, str) else value for name, value in cell.body.items()
    }
    [order] = scene.orders
    assert (order["method"], order["path"], order["query"], order["body"]) == ("POST", cell.path, {}, body)
    assert order["headers"]["authorization"] == f"Bearer {CREDENTIAL}"


def _upstream_id(before: dict[str, str]) -> str:
    return Track.unscoped.get(pk=id_of(before["song_id"]) or "").upstream_id if before else ""


def assert_same_sound(audio: bytes, example: Example, cell: Asked, given: str) -> None:
    """Nothing was transcoded where the upstream gave what was ordered: the packets are its own, or the samples."""
    came = Path(given).read_bytes()
    if cell.gives == example.format:
        assert packets_sha256(audio, DEMUXERS[cell.gives]) == packets_sha256(came, DEMUXERS[cell.gives])
        assert samples_sha256(audio) == samples_sha256(came)


def samples_sha256(audio: bytes) -> str:
    digest = hashlib.sha256()
    with av.open(io.BytesIO(audio), "r") as container:
        for frame in container.decode(audio=0):
            digest.update(frame.to_ndarray().tobytes())
    return digest.hexdigest()


# --- What is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("wire", "kind"), REFUSED)
async def test_example_is_refused_by_the_name_of_its_field(scene_at: Callable[..., Any], wire: str, kind: str) -> None:
    example, cell = EXAMPLES[wire], TABLE[wire][kind]
    assert isinstance(cell, Refuses)
    scene: Scene = await scene_at(kind, USUAL_SECONDS)
    before = {"song_id": await scene.shop.behind(_song_of_another, scene.shop)} if wire == EXTEND else {}
    rows = await scene.shop.behind(_rows)

    refused = example.refused(await scene.order(example, **before))

    assert refused.status == (200 if wire == "minimax" else 400), refused.message
    assert f"'{cell.field}'" in refused.message or refused.message == f"Missing required parameter: {cell.field}"
    assert refused.param in (None, cell.field)
    assert scene.orders == []
    assert await scene.shop.behind(_rows) == rows


def _song_of_another(shop: Shop) -> str:
    job = finished(submitted(shop.world))
    return digits_of(str(Track.unscoped.get(job=job).pk))


def _rows() -> tuple[int, int]:
    return Job.unscoped.count(), Hold.unscoped.count()
