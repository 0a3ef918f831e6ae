from generation.models.event import Event
from generation.models.job import Attempt, IdempotencyKey, Job
from generation.models.rendition import Rendition
from generation.models.runner import Clock, Runner
from generation.models.ticket import SocketTicket
from generation.models.track import Track
from generation.models.upload import Upload

__all__ = [
    "Attempt",
    "Clock",
    "Event",
    "IdempotencyKey",
    "Job",
    "Rendition",
    "Runner",
    "SocketTicket",
    "Track",
    "Upload",
]
