"""One listener to one take: reads what can be heard of it from the job's log, piece by piece, from the beginning.

Sound that was given cannot be taken back. So a listener stays with the attempt whose first piece it was given: when
that attempt fails, it hears nothing of the next one, which makes another song. Who was given nothing yet hears the
newest attempt.
"""

from __future__ import annotations

import logging
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from django.core.files.storage import default_storage

from generation.audio.bad_audio import BadAudio
from generation.audio.growing import rest_of
from generation.audio.wav_heads import Shape
from generation.contract import AudioFormat
from generation.models import Event, Job, Track
from generation.services.pieces import read_piece
from generation.states import FINAL, JobState

logger = logging.getLogger("tutti.jobs")

AT_ONCE: Final = 100
AUDIO: Final = "audio"
TELLING: Final = (AUDIO, "take", "take_failed", "retrying", *FINAL)
SHORTEST_REST_SECONDS: Final = 0.5
"""Less than this is what encoders hold back, and not a part of the song."""


class _Line(NamedTuple):
    seq: int
    type: str
    data: dict[str, Any]


@dataclass(slots=True)
class Hearing:
    """`seq` is how far the log was read, `seconds` what was given. `is_over`: no more comes while the song is made.

    For whoever may hear the job: rows are read in no scope. One thread at a time.
    """

    job_id: uuid.UUID
    take: int
    seq: int = 0
    seconds: float = 0.0
    attempt: int | None = None
    """Whose pieces were given; None before the first."""
    is_over: bool = False
    is_void: bool = False
    """What was given belongs to no song: its attempt failed."""
    _lines: deque[_Line] = field(default_factory=deque)

    def next_piece(self) -> bytes | None:
        """The next sound; None when there is none at present, or `is_over`."""
        while not self.is_over:
            if not self._lines:
                self._lines.extend(self._newer())
            if not self._lines:
                return None
            line = self._lines.popleft()
            self.seq = line.seq
            piece = self._heard(line)
            if piece:
                return piece
        return None

    def rest(self, audio_format: AudioFormat) -> bytes:
        """The end of the delivered take, where it was not given piece by piece; all of it where no piece was."""
        track = Track.unscoped.filter(job_id=self.job_id, take=self.take).first()
        if track is None or self.is_void or track.format != audio_format:
            return b""
        with default_storage.open(track.file) as file:
            audio = bytes(file.read())
        if self.attempt is None:
            return audio
        if track.duration_ms / 1000 - self.seconds < SHORTEST_REST_SECONDS:
            return b""
        try:
            return rest_of(audio, audio_format, Shape(track.sample_rate, track.channels), after_seconds=self.seconds)
        except BadAudio:
            logger.exception("The rest of take %s of job %s cannot be cut off.", self.take, self.job_id)
            return b""

    def _newer(self) -> list[_Line]:
        rows = Event.unscoped.filter(job_id=self.job_id, seq__gt=self.seq, type__in=TELLING).order_by("seq")
        return [_Line(*row) for row in rows.values_list("seq", "type", "data")[:AT_ONCE]]

    def _heard(self, line: _Line) -> bytes | None:
        if line.type == AUDIO:
            return self._sound(line.data) if line.data["take"] == self.take else None
        if line.type == "retrying":
            self.is_over = self.is_void = self.attempt is not None
        elif line.type in FINAL or line.data["take"] == self.take:
            self.is_over = True
        return None

    def _sound(self, data: dict[str, Any]) -> bytes | None:
        attempt = data["attempt"]
        if self.attempt is None and not self._is_newest(attempt):
            return None
        try:
            piece = read_piece(data["file"])
        except FileNotFoundError:
            self.is_over = self.is_void = self.attempt is not None
            return None
        self.attempt = attempt
        self.seconds += data["duration_seconds"]
        return piece

    def _is_newest(self, attempt: int) -> bool:
        """Whether no later attempt has begun, or is waited for."""
        job = Job.unscoped.only("attempt", "state").get(pk=self.job_id)
        return job.attempt == attempt and job.state != JobState.QUEUED
