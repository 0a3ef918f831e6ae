"""A shop that sells one model as Mureka's are sold, and both forms in which the wire `mureka` answers."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from catalog.models import LlmCatalog, LlmMapping
from generation.dialects.digits import id_of
from generation.models import Job
from tests.generation.shops import Shop

ORDER = {"lyrics": "[Verse]\nla la", "prompt": "a quiet song", "n": 1}
TELLING = ("Retry-After", "x-should-retry", "WWW-Authenticate", "x-ai-generated")
Told = tuple[int, dict[str, str], str]


@dataclass(frozen=True)
class Form:
    """One envelope: where it is served, and how it is read."""

    name: str
    generate: str
    extend: str
    query: str

    def task(self, answer: Any) -> dict[str, Any]:
        """The task in an answer, with its id as `id`; fails where the envelope is not exactly this one."""
        body, trace = json.loads(answer.content), answer.headers["x-request-id"]
        assert (answer.status_code, answer.headers["Trace-Id"], body.pop("trace_id")) == (200, trace, trace)
        if self.name == "maas":
            task = body.pop("data")
            assert (body, task.pop("trace_id")) == ({"code": 0, "code_msg": "success"}, trace)
            task["id"] = task.pop("taskId")
        else:
            task = body
        return task

    def told(self, answer: Any) -> Told:
        """Status, the headers a client acts on, and the message; fails where the envelope is not exactly this one."""
        body, trace = json.loads(answer.content), answer.headers["x-request-id"]
        assert re.fullmatch(r"req_[0-9a-f]{24}", trace)
        assert (answer.headers["Trace-Id"], body.pop("trace_id")) == (trace, trace)
        assert answer.headers["Content-Type"] == "application/json"
        if self.name == "maas":
            message = body.pop("code_msg")
            assert body == {"code": answer.status_code, "data": None}
        else:
            message = body.pop("error").pop("message")
            assert body == {}
        return answer.status_code, {name: answer.headers[name] for name in TELLING if name in answer.headers}, message


MAAS = Form(
    "maas",
    "/v1/ai/corner/mureka/song/generate",
    "/v1/ai/corner/mureka/song/extend",
    "/v1/ai/corner/mureka/song/query",
)
OFFICIAL = Form("official", "/v1/song/generate", "/v1/song/extend", "/v1/song/query")
FORMS = (MAAS, OFFICIAL)


def refused(status: int, message: str, **headers: str) -> Told:
    return status, {name.replace("_", "-"): value for name, value in headers.items()}, message


def sell_as_mureka(shop: Shop) -> None:
    """The model of the shop sings what it is given, continues songs, and is the wire's own."""
    mapping = shop.world.mapping
    mapping.default_for_wires = ["mureka"]
    mapping.save()
    mapping.llm.capabilities = {
        "prompt": "optional",
        "lyrics": "required",
        "instrumental": "exact",
        "references": ["reference", "vocal", "melody"],
        "extend": True,
        "timings": "words",
        "streaming": "live",
    }
    mapping.llm.limits = {"prompt": [0, 1024], "lyrics": [1, 5000], "takes_max": 3}
    mapping.llm.save()
    LlmMapping.objects.create(
        llm=mapping.llm,
        catalog=LlmCatalog.objects.create(id="music_extend", name="Music extension"),
        upstream=mapping.upstream,
        operation="extend",
        sale_prices=mapping.sale_prices,
        cost_prices=mapping.cost_prices,
        default_for_wires=["mureka"],
    )


async def task_of(shop: Shop, form: Form, **more: Any) -> tuple[str, Job]:
    """A new order: the digits of its task, and its job."""
    task = form.task(await shop.post(form.generate, {**ORDER, **more}))
    return task["id"], await shop.job(id_of(task["id"]) or "")


async def asked(shop: Shop, form: Form, task_id: str) -> dict[str, Any]:
    return form.task(await shop.get(f"{form.query}/{task_id}"))
