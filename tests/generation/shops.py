"""A customer with a key in a small world whose rows other threads can read, and the jobs' makers by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.test import AsyncClient

from accounts.models import User
from accounts.services.api_keys import issue_key
from accounts.tenancy import system_scope
from generation.models import Job
from tests.generation import worlds
from tests.generation.worlds import World, make_world

SONGS = "/v1/music/generations"
ORDER = {"model": "test-song", "catelogid": "music_gen", "prompt": "a quiet song", "lyrics": "[Verse]\nla la"}


@dataclass
class Shop:
    """The wire as a customer meets it. Calls are async; what happens behind the counter runs on threads."""

    world: World
    secret: str

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.secret}"}

    @property
    def user(self) -> User:
        assert self.world.caller.member is not None
        return self.world.caller.member.user

    async def call(self, method: str, path: str, *, headers: dict[str, str] | None = None, **given: Any) -> Any:
        return await AsyncClient(raise_request_exception=False).generic(
            method, path, headers=self.headers if headers is None else {**self.headers, **headers}, **given
        )

    async def post(self, path: str = SONGS, body: Any = None, *, headers: dict[str, str] | None = None) -> Any:
        client = AsyncClient(raise_request_exception=False)
        given = {**self.headers, **(headers or {})}
        return await client.post(path, data=body, content_type="application/json", headers=given)

    async def get(self, path: str, *, headers: dict[str, str] | None = None) -> Any:
        return await self.call("GET", path, headers=headers)

    async def behind(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run what a runner or an admin would do meanwhile."""

        def in_scope() -> Any:
            with system_scope():
                return work(*args, **kwargs)

        return await sync_to_async(in_scope, thread_sensitive=True)()

    async def ordered(self, **more: Any) -> Job:
        """A queued job, ordered over the wire."""
        answer = await self.post(body={**ORDER, **more}, headers={"prefer": "respond-async"})
        assert answer.status_code == 202, answer.content
        return await self.job(answer.json()["id"])

    async def job(self, job_id: str) -> Job:
        return await self.behind(Job.unscoped.get, pk=job_id)

    async def finished(self, job: Job, *takes: bytes) -> Job:
        return await self.behind(worlds.finished, job, *takes)


def make_shop() -> Shop:
    with system_scope():
        world = make_world()
        _, secret = issue_key(organization=world.customer, member=world.caller.member, name="test", live=True)
    return Shop(world, secret)
