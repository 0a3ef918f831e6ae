"""The routes of the wires; each with and without a slash at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.urls import URLPattern, path

from generation.api import (
    audio,
    files,
    lyria,
    lyrics,
    minimax,
    mureka,
    mureka_files,
    music,
    musicgen,
    offers,
    published,
    tickets,
)
from generation.api.awaited import awaited
from generation.api.uploading import uploading

SONGS = "v1/music/generations"
AT_MUREKA = "v1/ai/<str:endpoint>/mureka"
AT_ENDPOINT = "v1/ai/<str:endpoint>/music"
GENERATE = "publishers/google/models/<str:model>:generateContent"


def both(route: str, view: Callable[..., Any]) -> Iterator[URLPattern]:
    """The route as it is and with a slash; neither redirects, so a POST arrives with its body."""
    yield path(route, view)
    yield path(f"{route}/", view)


urlpatterns: list[URLPattern] = [
    *both(SONGS, awaited(music.Generations.as_view())),
    *both(f"{SONGS}/<str:job_id>", music.Generation.as_view()),
    *both(f"{SONGS}/<str:job_id>/events", music.GenerationEvents.as_view()),
    *both(f"{SONGS}/<str:job_id>/cancel", music.GenerationCancel.as_view()),
    *both(f"{SONGS}/<str:job_id>/tracks/<str:take>/lyrics.<str:sheet>", lyrics.TimedLyrics.as_view()),
    *both("v1/music/quotes", music.Quotes.as_view()),
    *both("v1/music_generation", awaited(minimax.MusicGeneration.as_view())),
    *both("v1/lyrics_generation", awaited(lyrics.MiniMaxWriting.as_view())),
    *both("v1/lyrics/generate", awaited(lyrics.MurekaWriting.as_view())),
    *both("api/v1/generate_music", musicgen.leaving_cancels(musicgen.GenerateMusic.as_view())),
    *both("v1/tasks", music.Tasks.as_view()),
    *both(f"{AT_ENDPOINT}/generateContent", awaited(lyria.EndpointContent.as_view())),
    *both(f"{AT_ENDPOINT}/google/chat/completions", awaited(lyria.EndpointGoogleChat.as_view())),
    *both(f"{AT_ENDPOINT}/chat/completions", awaited(lyria.EndpointChat.as_view())),
    *both("v1/music/chat/completions", awaited(lyria.Chat.as_view())),
    *both(f"<str:endpoint>/music/v1beta1/{GENERATE}", awaited(lyria.EndpointModelContent.as_view())),
    *both("v1beta/models/<str:model>:generateContent", awaited(lyria.BetaModelContent.as_view())),
    *both("v1/models/<str:model>:generateContent", awaited(lyria.ModelContent.as_view())),
    *both(
        f"v1beta1/projects/<str:project>/locations/<str:location>/{GENERATE}",
        awaited(lyria.ProjectModelContent.as_view()),
    ),
    *both(f"{AT_MUREKA}/song/generate", mureka.MaasSong.as_view()),
    *both(f"{AT_MUREKA}/song/extend", mureka.MaasExtension.as_view()),
    *both(f"{AT_MUREKA}/song/query/<str:task_id>", mureka.MaasTask.as_view()),
    *both(f"{AT_MUREKA}/files/upload", uploading(mureka_files.MaasUpload.as_view())),
    *both("v1/files/upload", uploading(mureka_files.OfficialUpload.as_view())),
    *both("v1/files", uploading(files.Files.as_view())),
    *both("v1/files/<str:file_id>", files.File.as_view()),
    *both("v1/files/<str:file_id>/content", files.FileContent.as_view()),
    *both("v1/song/generate", mureka.OfficialSong.as_view()),
    *both("v1/song/extend", mureka.OfficialExtension.as_view()),
    *both("v1/song/query/<str:task_id>", mureka.OfficialTask.as_view()),
    *both("v1/instrumental/generate", mureka.OfficialInstrumental.as_view()),
    *both("v1/instrumental/query/<str:task_id>", mureka.OfficialInstrumentalTask.as_view()),
    *both("v1/models", offers.Models.as_view()),
    *both("v1/models/catelog", offers.Catelogs.as_view()),
    *both("v1/models/<str:name>", offers.Model.as_view()),
    *both("v1/pricing", offers.Pricing.as_view()),
    *both("v1/ws_tickets", tickets.Tickets.as_view()),
    *both("v1/audio/<str:token>/<str:file_name>", awaited(audio.Audio.as_view())),
    *both("schema", published.Schema.as_view()),
    *both("docs", published.Docs.as_view()),
]
