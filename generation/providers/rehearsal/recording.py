"""One take, from the order to its file: composed, and joined to what it continues."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from generation.contract import Piece, RawTake, Section, SongRequest
from generation.providers.base import ProviderError
from generation.providers.rehearsal.acting import Acting
from generation.providers.rehearsal.composer import Composition, compose
from generation.providers.rehearsal.continuing import Beginning, join, shifted
from generation.providers.rehearsal.leaning import Leaning
from generation.providers.rehearsal.wav import Pcm, as_integers, pcm_of, wav_file

PIECE_SECONDS = 1
SHORTEST_SECONDS = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """A take as samples."""

    pcm: Pcm
    sample_rate: int
    sections: tuple[Section, ...]
    seed: int

    def as_take(self) -> RawTake:
        return RawTake(audio=wav_file(self.pcm, self.sample_rate), sections=self.sections, seed=self.seed)

    def pieces(self, take: int) -> Iterator[Piece]:
        """The take a second at a time, as headerless 16-bit samples."""
        frames = PIECE_SECONDS * self.sample_rate
        for part, first in enumerate(range(0, len(self.pcm), frames)):
            heard = self.pcm[first : first + frames]
            data = as_integers(heard).tobytes()
            yield Piece(
                take=take, part=part, data=data, format="pcm",
                sample_rate=self.sample_rate, channels=self.pcm.shape[1],
            )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """What all takes of an order share; `kept` is the song it continues."""

    song: SongRequest
    acting: Acting
    lyrics: str | None
    leaning: Leaning
    kept: Beginning | None

    def record(self, seed: int, is_stopped: Callable[[], bool]) -> Recording:
        """One take; raises Stopped between two sections once `is_stopped` answers True."""
        song = self.song
        composition = compose(
            prompt=self.acting.prompt,
            lyrics=song.lyrics if song.instrumental else self.lyrics,
            seed=seed,
            duration_seconds=self.new_seconds,
            instrumental=song.instrumental,
            temperature=song.sampling.temperature,
            leaning=self.leaning,
            is_stopped=is_stopped,
        )
        recording = self._joined(composition)
        if self.acting.failure == "bad_audio":
            recording.pcm[:, -1] = 0
        return recording

    @property
    def new_seconds(self) -> float | None:
        """How long the new part shall be; an ordered length is that of the whole song."""
        ordered = self.song.duration_seconds
        if ordered is None or self.kept is None:
            return ordered
        return ordered - self.kept.seconds - self.kept.wait_seconds

    def _joined(self, composition: Composition) -> Recording:
        if self.kept is None:
            pcm: Pcm = pcm_of(composition.samples)
            return Recording(pcm, composition.sample_rate, composition.sections, composition.seed)
        pcm = join(self.kept, composition.samples)
        return Recording(pcm, self.kept.sample_rate, shifted(composition.sections, self.kept), composition.seed)


def check_length(session: Session) -> None:
    """Raises ProviderError where nothing would be left to compose."""
    seconds = session.new_seconds
    if session.kept is not None and seconds is not None and seconds < SHORTEST_SECONDS:
        message = f"The song is continued from second {session.kept.seconds:.1f}: it must be longer than that."
        raise ProviderError("invalid_parameter", message, seen="not_made", param="duration_seconds", blame="order")
