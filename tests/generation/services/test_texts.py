"""Orders for a text alone: charged once when it was delivered, released otherwise."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from billing.models import Transfer
from billing.services.books import check_books
from billing.services.credits import balance_of
from catalog.models import Circuit, CircuitReason, CircuitState, Unit
from catalog.services.circuits import open_circuit
from generation.contract import Refusal
from generation.models import Attempt, Job
from generation.providers.base import ProviderError
from generation.services import settle as settling
from generation.services.cancel import cancel_job
from generation.services.deliver_text import deliver_text
from generation.services.queries import job_view
from generation.services.quoting import quote_order
from generation.services.reconcile import reconcile
from generation.services.retry import retry_or_fail
from generation.services.sweep import sweep
from generation.states import AttemptState, JobState
from tests.generation.services.test_routes import due_now
from tests.generation.texts import TEXT, TEXT_COST, TEXT_PRICE, delivered, ordered_text, sell_texts, text_order
from tests.generation.worlds import SONG_PRICE, World, claimed, log_of, new_runner, order

pytestmark = pytest.mark.both_databases


@pytest.fixture
def world(world: World) -> World:
    sell_texts(world)
    return world


def spent(world: World) -> tuple[int, int]:
    """Charged, and still held."""
    now = balance_of(world.customer.pk, live=True)
    return 10 * SONG_PRICE - now.available_micro - now.held_micro, now.held_micro


def test_order_for_a_text_is_held_for_and_names_its_operation(world: World) -> None:
    job = ordered_text(world, title="Tide")

    assert (job.operation, job.is_text, job.model, job.text) == (
        "lyrics",
        True,
        "test-words",
        text_order(title="Tide").text,
    )
    assert spent(world) == (0, TEXT_PRICE)


def test_text_that_came_is_kept_charged_and_done_at_once(world: World) -> None:
    job = delivered(ordered_text(world))

    assert (job.state, job.charged_micro) == (JobState.SUCCEEDED, TEXT_PRICE)
    assert (job.lyrics, job.title, job.style_tags) == (TEXT.lyrics, TEXT.title, TEXT.style_tags)
    assert log_of(job) == ["queued", "started", "lyrics", "succeeded"]
    assert Attempt.unscoped.get().state == AttemptState.DELIVERED
    assert spent(world) == (TEXT_PRICE, 0)
    assert Transfer.objects.get(kind="cost").amount == TEXT_COST
    assert check_books() == []
    assert reconcile().is_clean


@pytest.mark.parametrize(("unit", "charged"), [(Unit.REQUEST, TEXT_PRICE), (Unit.SONG, TEXT_PRICE), (Unit.SECOND, 0)])
def test_text_is_one_thing_and_lasts_no_time(world: World, unit: str, charged: int) -> None:
    mapping = world_mapping()
    mapping.sale_prices.prices.update(unit=unit)

    job = ordered_text(world)

    assert spent(world) == (0, charged)
    assert delivered(job).charged_micro == charged


def test_text_by_tokens_is_charged_for_what_was_said_and_written(world: World) -> None:
    world_mapping().sale_prices.prices.update(unit=Unit.THOUSAND_TOKENS)

    job = ordered_text(world, prompt="x" * 40)

    # At most 200 characters of prompt, 500 to edit and 500 to come, a token each.
    assert spent(world) == (0, 1200 * TEXT_PRICE // 1000)
    # 40 bytes of prompt are 10 tokens, 23 of the text 6.
    assert delivered(job).charged_micro == 16 * TEXT_PRICE // 1000


def world_mapping():
    from catalog.models import LlmMapping

    return LlmMapping.objects.get(operation="lyrics")


def test_upstream_that_refuses_costs_nothing(world: World) -> None:
    job = ordered_text(world)

    retry_or_fail(claimed(job), ProviderError("content_policy", "No.", seen="not_made"))

    ended = Job.unscoped.get()
    assert (ended.state, ended.error_code, ended.charged_micro, ended.lyrics) == (
        JobState.FAILED,
        "content_policy",
        0,
        None,
    )
    assert spent(world) == (0, 0)


def test_upstream_that_may_be_asked_again_is_inside_the_same_hold(world: World) -> None:
    job = ordered_text(world)
    retry_or_fail(
        claimed(job), ProviderError("upstream_error", "Wait.", seen="not_made", retryable=True, retry_after=0)
    )

    assert spent(world) == (0, TEXT_PRICE)
    assert delivered(due_now(job)).charged_micro == TEXT_PRICE
    assert log_of(job) == ["queued", "started", "retrying", "started", "lyrics", "succeeded"]


def test_same_key_is_the_same_text_charged_once(world: World) -> None:
    first = delivered(ordered_text(world, key="order-1"))

    assert ordered_text(world, key="order-1").pk == first.pk
    with pytest.raises(Refusal) as other:
        ordered_text(world, key="order-1", prompt="another harbour")
    assert other.value.code == "idempotency_conflict"
    assert spent(world) == (TEXT_PRICE, 0)


def test_text_that_comes_after_the_end_is_kept_out_and_its_cost_noted(world: World) -> None:
    job = ordered_text(world)
    work = claimed(job)
    cancel_job(job.pk, caller=world.caller)

    assert not deliver_text(work, TEXT)

    ended, attempt = Job.unscoped.get(), Attempt.unscoped.get()
    assert (ended.state, ended.lyrics, ended.charged_micro) == (JobState.CANCELLED, None, 0)
    assert (attempt.state, attempt.cost_micro) == (AttemptState.LATE, TEXT_COST)
    assert spent(world) == (0, 0)


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_text_on_trial_closes_the_circuit_of_its_writer(world: World, is_cancelled: bool) -> None:
    job, upstream = ordered_text(world), world_mapping().upstream
    open_circuit(upstream.pk, reason=CircuitReason.FAILURES)
    Circuit.objects.update(opened_until=timezone.now())
    trial = claimed(job)
    if is_cancelled:
        cancel_job(job.pk, caller=world.caller)

    is_delivered = deliver_text(trial, TEXT)

    assert (trial.is_on_trial, is_delivered) == (True, not is_cancelled)
    assert Circuit.objects.get(upstream=upstream).state_at(timezone.now()) == CircuitState.CLOSED


def test_text_told_twice_is_charged_once(world: World) -> None:
    work = claimed(ordered_text(world))

    assert deliver_text(work, TEXT)
    assert not deliver_text(work, TEXT)
    assert spent(world) == (TEXT_PRICE, 0)
    assert log_of(Job.unscoped.get()) == ["queued", "started", "lyrics", "succeeded"]


def test_text_is_kept_with_its_charge_or_not_at_all(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    work = claimed(ordered_text(world))

    def power_cut(**_: object) -> None:
        raise OSError("the power is cut")

    with monkeypatch.context() as broken:
        broken.setattr(settling, "settle_hold", power_cut)
        with pytest.raises(OSError, match="power"):
            deliver_text(work, TEXT)

    job = Job.unscoped.get()
    assert (job.state, job.lyrics, log_of(job)) == (JobState.RUNNING, None, ["queued", "started"])
    assert deliver_text(work, TEXT)
    assert spent(world) == (TEXT_PRICE, 0)


def test_writer_whose_runner_died_is_asked_again_where_that_harms_nobody(world: World) -> None:
    job = ordered_text(world)
    claimed(job, new_runner(lease=timedelta(seconds=-1)))

    sweep()

    assert Job.unscoped.get().state == JobState.QUEUED
    assert delivered(job).charged_micro == TEXT_PRICE


def test_writer_that_bills_is_not_asked_again_after_its_runner_died(world: World) -> None:
    mapping = world_mapping()
    mapping.upstream.provider = "openai_music"
    mapping.upstream.save()
    claimed(ordered_text(world), new_runner(lease=timedelta(seconds=-1)))

    sweep()

    ended = Job.unscoped.get()
    assert (ended.state, ended.is_flagged, spent(world)) == (JobState.FAILED, True, (0, 0))


@pytest.mark.parametrize(
    ("text", "param"), [({"prompt": "x" * 201}, "prompt"), ({"lyrics": "x" * 501, "is_edit": True}, "lyrics")]
)
def test_text_beyond_the_limits_is_refused_by_name(world: World, text: dict[str, Any], param: str) -> None:
    with pytest.raises(Refusal) as refusal:
        ordered_text(world, **text)

    assert (refusal.value.code, refusal.value.param) == ("invalid_parameter", param)
    assert (Job.unscoped.count(), spent(world)) == (0, (0, 0))


def test_wire_without_a_writer_is_told_so(world: World) -> None:
    mapping = world_mapping()
    mapping.default_for_wires = ["mureka"]
    mapping.save()

    with pytest.raises(Refusal) as refusal:
        ordered_text(world)

    assert refusal.value.code == "model_not_found"


def test_song_cannot_be_ordered_of_a_writer(world: World) -> None:
    with pytest.raises(Refusal) as refusal:
        quote_order(order(model="test-words", catalog="lyrics"), caller=world.caller)

    assert (refusal.value.code, refusal.value.param) == ("invalid_parameter", "model")


def test_view_of_a_text_job_has_its_text_and_no_takes(world: World) -> None:
    job = ordered_text(world, lyrics="[Verse]\nbefore", is_edit=True)
    waiting = job_view(job.pk, base_url="")
    ready = job_view(delivered(job).pk, base_url="")

    assert (waiting.is_text, waiting.lyrics, waiting.takes, waiting.tracks) == (True, None, 0, ())
    assert (ready.lyrics, ready.title, ready.style_tags) == (TEXT.lyrics, TEXT.title, TEXT.style_tags)
