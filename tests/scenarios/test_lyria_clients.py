"""The example calls of the endpoint's documentation, as they stand there, end with a song that plays.

Changed are the base address, the key and the endpoint alone, and two slips of every printed line, without which no
shell would send it: the quote that is missing after the key, and the `-d` that is missing before the body.
"""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from accounts.services.api_keys import issue_key
from billing.services.books import check_books
from generation.models import Job
from tests.generation.runner.test_process import House, house, slots
from tests.generation.worlds import SONG_PRICE
from tests.scenarios.playing import play

__all__ = ["house", "slots"]
pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 2
HOST = "https://genaiapi-m2.cloudsway.net"
GENERATE = f"{HOST}/v1/ai/{{endpointPath}}/music/generateContent"
HEAD = f"""curl --location --request POST '{GENERATE}' \\
--header 'Authorization: Bearer ${{your AK}}
--header 'Content-Type: application/json'
"""
CONTENT = """{
  "contents": [
    {
      "role": "user",
      "parts": [
        {
          "text": "Upbeat pop song about a summer road trip, catchy chorus, female vocal"
        }
      ]
    }
  ],
  "generationConfig": {
    "responseModalities": ["AUDIO", "TEXT"]
  }
}
"""
CHAT = """{
  "model": "MaaS_Lyria_3_pro_preview",
  "stream": false,
  "messages": [
    {
      "role": "user",
      "content": "Upbeat pop song about a summer road trip, catchy chorus, female vocal"
    }
  ],
  "modalities": ["audio", "text"]
}
"""
SHORT_CHAT = """{
  "model": "MaaS_Lyria_3_pro_preview",
  "stream": false,
  "messages": [
    {
      "role": "user",
      "content": "Upbeat pop song about a summer road trip"
    }
  ],
  "modalities": ["audio", "text"]
}
"""
# Section of the document -> the address it gives. Where a section prints an example, that names generateContent too.
ADDRESSES = {
    "2": f"{HOST}/{{endpointPath}}/music/v1beta1/publishers/google/models/{{modelName}}:generateContent",
    "3": f"{HOST}/v1/ai/{{endpointPath}}/music/google/chat/completions",
    "4": f"{HOST}/v1/ai/{{endpointPath}}/music/chat/completions",
    "5": f"{HOST}/v1/music/chat/completions",
}
EXAMPLES = {
    "1 as printed": HEAD + CONTENT,
    "2 at its address": HEAD.replace(GENERATE, ADDRESSES["2"]) + CONTENT,
    "3 as printed": HEAD + CHAT,
    "3 at its address": HEAD.replace(GENERATE, ADDRESSES["3"]) + CHAT,
    "4 at its address": HEAD.replace(GENERATE, ADDRESSES["4"]) + CHAT,
    "5 as printed": HEAD + SHORT_CHAT,
    "5 at its address": HEAD.replace(GENERATE, ADDRESSES["5"]) + SHORT_CHAT,
}


@dataclass(frozen=True)
class Call:
    """What curl would send."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


def without_slips(printed: str) -> str:
    """The quote that is missing after the key, and the `-d` that is missing before the body."""
    with_quote = printed.replace("${your AK}\n", "${your AK}' \\\n")
    return with_quote.replace("'Content-Type: application/json'\n{", "'Content-Type: application/json' -d '{") + "'"


def filled(line: str, *, key: str, endpoint: str) -> str:
    names = {"${your AK}": key, "{endpointPath}": endpoint, "{modelName}": "MaaS_Lyria_3_pro_preview"}
    for name, value in names.items():
        line = line.replace(name, value)
    return line


def as_curl_reads(line: str) -> Call:
    """The words of a line as a shell parts them, and as curl takes them."""
    words: Iterator[str] = iter(shlex.split(line.replace("\\\n", " ")))
    assert next(words) == "curl"
    call: dict[str, Any] = {"headers": {}}
    for word in words:
        match word:
            case "--location":
                pass
            case "--request":
                call["method"] = next(words)
            case "--header":
                name, value = next(words).split(": ")
                call["headers"][name] = value
            case "-d":
                call["body"] = next(words)
            case _:
                assert word.startswith(HOST), word
                call["path"] = urlsplit(word).path
    return Call(**call)


@pytest.fixture
def key(house: House) -> str:
    """A key of a customer to whom the documented model is sold, at an endpoint of another name."""
    mapping = house.world.mapping
    mapping.endpoint_slug = "my-lyria"
    mapping.save()
    llm = mapping.llm
    llm.public_name = "MaaS_Lyria_3_pro_preview"
    llm.capabilities = {"prompt": "required", "lyrics": "optional", "instrumental": "wish", "duration": "wish"}
    llm.limits = {"prompt": [1, 8000], "lyrics": [1, 5000], "default_duration_seconds": SECONDS}
    llm.save()
    return issue_key(organization=house.world.customer, member=None, name="client", live=True)[1]


def song_of(answer: dict[str, Any], *, is_chat: bool) -> tuple[bytes, str]:
    """Audio and lyrics, read where the document says they are."""
    if is_chat:
        message = answer["choices"][0]["message"]
        assert answer["choices"][0]["finish_reason"] == "stop"
        return base64.b64decode(message["audio"]["data"]), message["content"]
    [candidate] = answer["candidates"]
    text, audio = candidate["content"]["parts"]
    assert (candidate["finishReason"], audio["inlineData"]["mimeType"]) == ("STOP", "audio/mpeg")
    return base64.b64decode(audio["inlineData"]["data"]), text["text"]


def tokens_of(answer: dict[str, Any]) -> tuple[int, int, int]:
    usage = answer["usage"] if "usage" in answer else answer["usageMetadata"]
    first, second, total = usage.values()
    return first, second, total


@pytest.mark.parametrize("name", EXAMPLES)
async def test_an_example_of_the_document_ends_with_a_song_that_plays(house: House, key: str, name: str) -> None:
    line = filled(without_slips(EXAMPLES[name]), key=key, endpoint="my-lyria")
    call = as_curl_reads(line)

    answer = await AsyncClient().generic(
        call.method, call.path, data=call.body, content_type=call.headers["Content-Type"], headers=call.headers
    )

    is_chat = "messages" in json.loads(call.body)
    assert answer.status_code == 200, answer.content
    audio, lyrics = song_of(answer.json(), is_chat=is_chat)
    assert play(audio).seconds == pytest.approx(SECONDS, abs=1)
    assert lyrics.strip()
    prompt, made, total = tokens_of(answer.json())
    text = "Upbeat pop song about a summer road trip" + (
        "" if name.startswith("5") else ", catchy chorus, female vocal"
    )
    assert (prompt, total) == (-(-len(text) // 4), prompt + made)
    assert made >= 25 * SECONDS


async def test_a_song_of_the_document_is_charged_once_however_often_its_order_is_sent(house: House, key: str) -> None:
    call = as_curl_reads(filled(without_slips(EXAMPLES["1 as printed"]), key=key, endpoint="my-lyria"))
    headers = {**call.headers, "Idempotency-Key": "trip-1"}

    answers = [
        await AsyncClient().post(
            call.path, data=json.loads(call.body), content_type="application/json", headers=headers
        )
        for _ in range(2)
    ]

    assert answers[0].json() == answers[1].json()
    charged = [job.charged_micro async for job in Job.unscoped.all()]
    assert (charged, await sync_to_async(check_books)()) == ([SONG_PRICE], [])
