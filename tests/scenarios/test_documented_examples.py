"""Every example request of the vendors' documents, by curl where they print a curl line, ends with a song that plays.

The examples lie in `examples`, as printed. Changed are base address, key and endpoint, and the slips below.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pytest

from tests.scenarios.customers import Customer, heard, until
from tests.scenarios.lyria_answers import chat_song, content_song
from tests.scenarios.playing import samples_of
from tests.scenarios.printed import Slip, beyond, documented_answer, mended, printed
from tests.scenarios.servers import TuttiServer

pytestmark = [pytest.mark.whole_server, pytest.mark.timeout(300)]

# What no shell, or no server, could take as it is printed. Nothing else is changed.
LYRIA_SLIPS: Final = (
    Slip("Lyria 1, 3, 5", "no quote after the key, no line's end", "${your AK} \n", "${your AK}' \\\n"),
    Slip("Lyria 1, 3, 5", "no -d before the body", "application/json' \n{", "application/json' \\\n-d '{"),
    Slip("Lyria 1, 3, 5", "so no quote after it either", "\n}\n", "\n}'\n"),
)
MUREKA_ORDER_SLIP: Final = Slip("Mureka generate, extend, upload", "-X without a method", "curl -X '", "curl -X POST '")
MUREKA_QUERY_SLIP: Final = Slip("Mureka query", "-X without a method", "curl -X '", "curl -X GET '")
SONG_SLIP: Final = Slip("Mureka extend", "a song of somebody else", "113875917733890", "{song_id}")
FILE_SLIP: Final = Slip(
    "Mureka upload", "a file of somebody else", "/C:/Users/user/Downloads/music_songs_20251110.mp3", "{path}"
)
# And in 000 the marks of the comment the example stands in; in MiniMax's the line breaks, which its page has lost.

PRINTED_ADDRESS: Final = "/v1/ai/{endpointPath}/music/generateContent"
LYRIA_ADDRESSES: Final = {
    "2": "/{endpointPath}/music/v1beta1/publishers/google/models/{modelName}:generateContent",
    "3": "/v1/ai/{endpointPath}/music/google/chat/completions",
    "4": "/v1/ai/{endpointPath}/music/chat/completions",
    "5": "/v1/music/chat/completions",
}
LYRIA: Final = {
    "1 as printed": ("lyria_1.txt", PRINTED_ADDRESS),
    "2 at its address": ("lyria_1.txt", LYRIA_ADDRESSES["2"]),
    "3 as printed": ("lyria_3.txt", PRINTED_ADDRESS),
    "3 at its address": ("lyria_3.txt", LYRIA_ADDRESSES["3"]),
    "4 at its address": ("lyria_3.txt", LYRIA_ADDRESSES["4"]),
    "5 as printed": ("lyria_5.txt", PRINTED_ADDRESS),
    "5 at its address": ("lyria_5.txt", LYRIA_ADDRESSES["5"]),
}
BEYOND_MUSIC: Final = {"finished", "duration", "audios", "lyrics", "seed", "usage", "urls"}
PRICES: Final = {
    "music-2.6": 1.5,
    "music-2.5": 1.2,
    "MaaS_Lyria_3_pro_preview": 2.0,
    "MaaS_Mureka_v7.6": 1.6,
    "MaaS_Mureka_o2": 2.4,
}
UNDER_WAY: Final = {"preparing", "queued", "running", "streaming"}
CONTINUED_MS: Final = 8_000
SMALLEST_STEP: Final = 1 / 32_768


@pytest.fixture(scope="module")
def customer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Customer]:
    server = TuttiServer(tmp_path_factory.mktemp("documented"))
    try:
        assert server.demo["keys"]
        server.start()
        yield Customer(server, tmp_path_factory.mktemp("curl"))
    finally:
        server.close()


# --- OpenAI-style music ----------------------------------------------------------------------------------------------


def test_the_example_of_music_generations(customer: Customer) -> None:
    body = documented_answer("music_generations.txt")

    answer = customer.post("/v1/music/generations", body)

    assert (answer.status_code, answer.headers["x-ai-generated"]) == (200, "true"), answer.text
    assert beyond(documented_answer("music_generations.answer.txt"), answer.json()) == BEYOND_MUSIC
    assert (answer.json()["model"], answer.json()["status"]) == (body["model"], "SUCCEEDED")
    heard(customer.open(answer.json()["audio"]))
    customer.has_bought("music-2.6")


# --- Lyria -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LYRIA)
def test_an_example_of_lyria(customer: Customer, name: str) -> None:
    example, address = LYRIA[name]
    line = mended(printed(example), LYRIA_SLIPS).replace(PRINTED_ADDRESS, address)

    answer = customer.curl(line, endpoint="lyria", modelName="MaaS_Lyria_3_pro_preview")

    assert (answer.status, answer.headers["x-ai-generated"]) == (200, "true"), answer.body
    read = content_song if example == "lyria_1.txt" else chat_song
    audio, text = read(answer.json())
    heard(audio)
    assert text.strip()
    prompt, made, total = list(answer.json()["usage" if "choices" in answer.json() else "usageMetadata"].values())
    assert (prompt > 0, made > 0, total) == (True, True, prompt + made)
    customer.has_bought("MaaS_Lyria_3_pro_preview")


# --- MiniMax ---------------------------------------------------------------------------------------------------------


def minimax_audio(customer: Customer, answer: dict[str, Any], *, more: set[str]) -> str:
    documented = documented_answer("minimax.answer.yaml")
    assert beyond(documented, answer) == more
    assert (answer["data"]["status"], answer["base_resp"]) == (2, documented["base_resp"])
    customer.has_bought("music-2.5")
    audio: str = answer["data"]["audio"]
    return audio


def test_the_example_of_minimax(customer: Customer) -> None:
    answer = customer.post("/v1/music_generation", documented_answer("minimax.yaml"))

    assert (answer.status_code, answer.headers["x-ai-generated"]) == (200, "true")
    audio = bytes.fromhex(minimax_audio(customer, answer.json(), more=set()))
    played, extra = heard(audio), answer.json()["extra_info"]
    assert extra["music_duration"] / 1000 == pytest.approx(played.seconds, abs=0.1)
    assert extra == {
        "music_duration": extra["music_duration"],
        "music_sample_rate": 44_100,
        "music_channel": played.channels,
        "bitrate": 256_000,
        "music_size": len(audio),
    }


def test_the_example_of_minimax_as_a_link(customer: Customer) -> None:
    answer = customer.post("/v1/music_generation", documented_answer("minimax.yaml") | {"output_format": "url"})

    link = minimax_audio(customer, answer.json(), more={"data.audio_url"})
    assert answer.json()["data"]["audio_url"] == link
    heard(customer.open(link))


def test_the_example_of_minimax_as_a_stream(customer: Customer) -> None:
    answer = customer.post("/v1/music_generation", documented_answer("minimax.yaml") | {"stream": True})

    assert answer.headers["Content-Type"].split(";")[0] == "text/event-stream"
    frames = [frame for frame in answer.text.split("\n\n") if frame.startswith("data: ")]
    *pieces, last = [json.loads(frame.removeprefix("data: ")) for frame in frames]
    whole = minimax_audio(customer, last, more=set())
    assert {(piece["data"]["status"], piece["extra_info"]) for piece in pieces} == {(1, None)}
    assert len(pieces) >= 4 * last["extra_info"]["music_duration"] / 30_000
    heard(bytes.fromhex("".join(piece["data"]["audio"] for piece in pieces)))
    heard(bytes.fromhex(whole))


# --- Mureka ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Muse:
    """What the documented lines of Mureka make, with the endpoint of one model."""

    customer: Customer
    endpoint: str = "mureka"
    model: str = "MaaS_Mureka_v7.6"

    def order(self, line: str, example: str, **more: str) -> str:
        """The id of the task; its answer is the documented one."""
        answer = self.customer.curl(line, endpoint=self.endpoint, **more)
        assert answer.status == 200, answer.body
        task = answer.json()["data"]
        assert beyond(documented_answer(f"{example}.answer.json"), answer.json()) == set()
        assert (task["model"], task["status"], task["taskId"].isdigit()) == (self.model, "preparing", True)
        return str(task["taskId"])

    def song(self, task_id: str) -> dict[str, Any]:
        """The one song of a task, asked for with the documented line until it is there."""
        line = mended(printed("mureka_query.txt"), [MUREKA_QUERY_SLIP])
        ask: Callable[[], Any] = lambda: self.customer.curl(line, endpoint=self.endpoint, task_id=task_id).json()  # noqa: E731
        ended = until(lambda answer: answer["data"]["status"] not in UNDER_WAY, ask)
        assert beyond(documented_answer("mureka_query.answer.json"), ended) == set()
        assert (ended["data"]["status"], ended["data"]["failed_reason"]) == ("succeeded", None)
        [choice] = ended["data"]["choices"]
        self.customer.has_bought(self.model)
        return dict(choice)

    def made(self, body: dict[str, Any] | None = None) -> dict[str, Any]:
        line = mended(printed("mureka_generate.txt"), [MUREKA_ORDER_SLIP])
        if body is not None:
            line, _ = line.split("-d '")
            line += f"-d '{json.dumps(body, ensure_ascii=False)}'"
        return self.song(self.order(line, "mureka_generate"))

    def upload(self, name: str, audio: bytes, purpose: str = "audio") -> str:
        """The id of a file sent with the documented line."""
        path = self.customer.folder / name
        path.write_bytes(audio)
        line = mended(printed("mureka_upload.txt"), [MUREKA_ORDER_SLIP, FILE_SLIP])
        line = line.replace('"audio"', f'"{purpose}"')
        answer = self.customer.curl(line, endpoint=self.endpoint, path=str(path))
        assert answer.status == 200, answer.body
        found = answer.json()
        assert beyond(documented_answer("mureka_upload.answer.json"), found) == set()
        assert (found["purpose"], found["filename"], found["id"].isdigit()) == (purpose, name, True)
        return str(found["id"])

    def continued(self, line: str, **more: str) -> dict[str, Any]:
        return self.song(self.order(mended(line, [MUREKA_ORDER_SLIP]), "mureka_extend", **more))

    def assert_begins_alike(self, one: str, other: str, *, ms: int) -> None:
        """Both are the same song up to there, sample by sample of 16 bits, and the second goes on."""
        first, second = (samples_of(self.customer.open(link)) for link in (one, other))
        frames = first.rate * ms // 1000
        assert first.rate == second.rate
        assert np.abs(first.values[:, :frames] - second.values[:, :frames]).max() <= SMALLEST_STEP
        assert second.values.shape[1] > frames + first.rate


@pytest.fixture(scope="module")
def muse(customer: Customer) -> Muse:
    return Muse(customer)


@pytest.fixture(scope="module")
def song(muse: Muse) -> dict[str, Any]:
    """The documented song of Mureka."""
    return muse.made()


@pytest.mark.parametrize("model", ["MaaS_Mureka_v7.6", "MaaS_Mureka_o2"])
def test_the_example_of_mureka_plays_in_all_formats(
    customer: Customer, request: pytest.FixtureRequest, model: str
) -> None:
    """At the endpoints of both models the document is for."""
    at_o2 = Muse(customer, "mureka_o2", "MaaS_Mureka_o2")

    song = at_o2.made() if model == at_o2.model else request.getfixturevalue("song")

    for name in ("url", "wav_url", "flac_url"):
        assert heard(customer.open(song[name])).seconds == pytest.approx(song["duration"] / 1000, abs=0.1)
    lines = [line for section in song["lyrics_sections"] for line in section["lines"]]
    assert {"verse", "chorus"} <= {section["section_type"] for section in song["lyrics_sections"]}
    assert [line["text"] for line in lines] == ["青春如花绽放", "梦想在心中飞翔", "青春与梦想", "永远在心中"]
    words = [word for line in lines for word in line["words"]]
    assert all(0 <= word["start"] < word["end"] <= song["duration"] for word in words)


def test_the_example_of_mureka_extend_goes_on_where_the_song_was(muse: Muse, song: dict[str, Any]) -> None:
    longer = muse.continued(mended(printed("mureka_extend.txt"), [SONG_SLIP]), song_id=song["id"])

    heard(muse.customer.open(longer["url"]))
    muse.assert_begins_alike(song["url"], longer["wav_url"], ms=CONTINUED_MS)


def test_the_example_of_mureka_upload_can_be_extended(muse: Muse, song: dict[str, Any]) -> None:
    upload_id = muse.upload("music_songs_20251110.mp3", muse.customer.open(song["url"]))

    line = printed("mureka_extend.txt").replace("song_id", "upload_audio_id")
    longer = muse.continued(line.replace(SONG_SLIP.printed, "{upload_id}"), upload_id=upload_id)

    assert heard(muse.customer.open(longer["url"])).seconds > CONTINUED_MS / 1000


@pytest.mark.parametrize("purpose", ["reference", "vocal", "melody"])
def test_a_song_of_mureka_leans_on_an_upload(muse: Muse, song: dict[str, Any], purpose: str) -> None:
    upload_id = muse.upload(f"{purpose}.mp3", muse.customer.open(song["url"]), purpose)
    [printed_body] = printed("mureka_generate.txt").split("-d '")[1:]
    documented = json.loads(printed_body.rstrip().removesuffix("'"))
    without_prompt = {name: value for name, value in documented.items() if name != "prompt"}

    leaning = muse.made(without_prompt | {f"{purpose}_id": upload_id})

    heard(muse.customer.open(leaning["url"]))


# --- At the end of the day -------------------------------------------------------------------------------------------


def test_every_song_was_charged_once_and_the_books_balance(customer: Customer) -> None:
    assert customer.charged() == {
        f"{model} {PRICES[model] * 1_000_000:.0f}": songs for model, songs in customer.bought.items()
    }
    said = customer.server.manage("reconcile")
    assert said == f"The books balance: {customer.bought.total()} jobs, no disagreement.\n"
