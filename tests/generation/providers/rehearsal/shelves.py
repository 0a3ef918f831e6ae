"""Sources that hold what a test puts there, and the way to and from a provider."""

from __future__ import annotations

from dataclasses import dataclass, field

from generation.contract import Piece, SourceFile, SourceTrack
from generation.providers.base import NoSources, Sound, Sources, UpstreamAccess
from generation.services.source_samples import sound_of


class Shelf(NoSources):
    """Files and tracks by id, decoded as the house does it; `asked` are the ids that were read."""

    def __init__(self, **held: SourceFile | SourceTrack) -> None:
        self._held = held
        self.asked: list[str] = []

    async def file(self, file_id: str) -> SourceFile:
        self.asked.append(file_id)
        found = self._held.get(file_id)
        return found if isinstance(found, SourceFile) else await super().file(file_id)

    async def track(self, track_id: str) -> SourceTrack:
        self.asked.append(track_id)
        found = self._held.get(track_id)
        return found if isinstance(found, SourceTrack) else await super().track(track_id)

    async def samples(self, source: SourceFile | SourceTrack) -> Sound:
        return sound_of(source)


@dataclass
class Told:
    """A line that remembers the pieces it was given."""

    pieces: list[Piece] = field(default_factory=list)

    async def progress(self, percent: float, phase: str) -> None:
        pass

    async def lyrics(self, text: str) -> None:
        pass

    async def audio(self, piece: Piece) -> None:
        self.pieces.append(piece)

    async def ticket(self, upstream_id: str) -> None:
        raise AssertionError(f"a rehearsal has no upstream task, but named {upstream_id}")


def access(sources: Sources) -> UpstreamAccess:
    return UpstreamAccess(
        base_url="", credential="", model="rehearsal", endpoint="", shape="", connect_seconds=1.0,
        deadline_seconds=60.0, poll_seconds=1.0, reference="r-1", sources=sources,
    )  # fmt: skip
