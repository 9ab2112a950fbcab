"""Replays of many data keys: fetched side by side, by whoever may, and no more than once."""

import asyncio
import gc
import types

import pytest
from temporalio.api.common.v1 import Payloads
from temporalio.api.history.v1 import History, HistoryEvent, WorkflowExecutionSignaledEventAttributes
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryResponse
from temporalio.converter import WorkflowSerializationContext
from temporalio.service import RPCError, RPCStatusCode

from temporal_codec import CacheSettings, CannotOpenError, EncryptionCodec, EncryptionPlugin, KmsKeys
from temporal_codec.look_ahead import payloads_of

from .kms_stand_in import KmsStandIn, Refusal
from .support import PATIENCE, encode, payload, until

KEYS = 60
PAGE = 25
#: Calls that a look ahead has under way at once.
CALLS = 16


class Temporal:
    """What a worker's client is asked for a history, page by page."""

    namespace = "orders"

    def __init__(self, payloads: list) -> None:
        self.asked: list[str] = []
        self.failure: Exception | None = None
        self.workflow_service = types.SimpleNamespace(get_workflow_execution_history=self._page)
        self._payloads = payloads

    async def _page(self, request, *, timeout):
        assert request.namespace == self.namespace
        self.asked.append(request.execution.workflow_id)
        if self.failure is not None:
            raise self.failure
        start = int(request.next_page_token or b"0")
        events = [
            HistoryEvent(
                workflow_execution_signaled_event_attributes=WorkflowExecutionSignaledEventAttributes(
                    input=Payloads(payloads=[it])
                )
            )
            for it in self._payloads[start : start + PAGE]
        ]
        more = start + PAGE < len(self._payloads)
        return GetWorkflowExecutionHistoryResponse(
            history=History(events=events), next_page_token=str(start + PAGE).encode() if more else b""
        )


def codec_of(kms: KmsStandIn, write: str | None, *read: str, namespace: str = "orders", **cache: float) -> EncryptionCodec:
    settings = CacheSettings(timeout_seconds=PATIENCE, **cache)
    return EncryptionCodec(namespace, KmsKeys(write, read, client=kms.client), cache=settings)


@pytest.fixture
def world(kms: KmsStandIn):
    arn = kms.create_key()
    writer = codec_of(kms, arn, write_messages=1)
    encoded = encode(writer, *(payload(str(it)) for it in range(KEYS)))
    reader = codec_of(kms, None, arn)
    temporal = Temporal(encoded)
    reader.look_ahead_with(temporal)
    kms.calls.clear()
    return types.SimpleNamespace(kms=kms, arn=arn, encoded=encoded, reader=reader, temporal=temporal)


def replay(world, payloads=None) -> list:
    """Decodes as the SDK does, one payload after the other, and lets the look ahead come to its end."""

    async def run() -> list:
        codec = world.reader.with_context(WorkflowSerializationContext(namespace="orders", workflow_id="long"))
        decoded = [(await codec.decode([it]))[0] for it in (world.encoded if payloads is None else payloads)]
        if world.reader._look_ahead._task is not None:
            await world.reader._look_ahead._task
        return decoded

    return asyncio.run(run())


def wait_for_a_look_ahead(world) -> None:
    """Lets a call wait until as many are under way at once as a look ahead makes, from the time that the history is read."""
    if world.temporal.asked:
        until(lambda: world.kms.most_at_once >= CALLS)


def test_a_replay_that_misses_key_after_key_has_the_others_fetched_side_by_side(world) -> None:
    world.kms.trouble = lambda *_: wait_for_a_look_ahead(world)
    assert replay(world) == [payload(str(it)) for it in range(KEYS)]
    assert world.kms.count("Decrypt") == KEYS
    # And the one that the replay waits for.
    assert CALLS <= world.kms.most_at_once <= CALLS + 1
    assert world.temporal.asked == ["long"] * 3
    assert replay(world) == [payload(str(it)) for it in range(KEYS)]
    assert world.kms.count("Decrypt") == KEYS


def test_a_few_keys_are_no_reason_to_read_a_history(world) -> None:
    replay(world, world.encoded[:3])
    assert world.temporal.asked == []
    assert world.kms.count("Decrypt") == 3


def test_what_happens_outside_of_a_workflow_is_no_replay(world) -> None:
    async def run() -> None:
        for it in world.encoded[:10]:
            await world.reader.decode([it])

    asyncio.run(run())
    assert world.temporal.asked == []


def test_a_key_of_another_namespace_is_not_asked_for(world) -> None:
    foreign = codec_of(world.kms, world.arn, namespace="payments", write_messages=1)
    world.temporal._payloads = world.encoded[:5] + encode(foreign, *(payload() for _ in range(5)))
    world.kms.calls.clear()
    replay(world, world.encoded[:5])
    assert world.temporal.asked == ["long"]
    assert world.kms.count("Decrypt") == 5


def test_it_ends_at_the_first_refusal_and_says_so_once(world, caplog) -> None:
    def denied_from_the_tenth(operation: str, key: str) -> None:
        wait_for_a_look_ahead(world)
        if world.kms.count("Decrypt") > 10:
            raise Refusal("AccessDeniedException")

    world.kms.trouble = denied_from_the_tenth
    with pytest.raises(CannotOpenError, match="AccessDeniedException"):
        replay(world)
    assert world.kms.count("Decrypt") < 40
    gc.collect()
    assert caplog.text == ""


def test_a_refusal_that_comes_as_the_event_loop_ends_is_not_logged(world, caplog, monkeypatch) -> None:
    """What the standard library does when an answer and a cancellation meet: the answer wins, and nobody waits for it."""

    async def refused_at_the_end(missing: object) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise CannotOpenError("refused") from None

    async def run() -> None:
        monkeypatch.setattr(world.reader._keys, "fetch", refused_at_the_end)
        for _ in range(5):
            world.reader._look_ahead.missed("long")
        while not world.temporal.asked:
            await asyncio.sleep(0)
        for _ in range(100):
            await asyncio.sleep(0)

    asyncio.run(run())
    gc.collect()
    assert caplog.text == ""


def test_a_history_that_cannot_be_read_makes_it_slow_and_not_wrong(world) -> None:
    world.temporal.failure = RPCError("unavailable", RPCStatusCode.UNAVAILABLE, b"")
    assert replay(world) == [payload(str(it)) for it in range(KEYS)]
    assert world.temporal.asked == ["long"]


def test_the_plugin_looks_ahead_with_the_worker_s_client(world) -> None:
    plugin = EncryptionPlugin(KmsKeys(None, [world.arn], client=world.kms.client))
    codec = plugin.data_converter_for("orders").payload_codec
    plugin.configure_worker({"client": world.temporal})
    world.reader = codec
    replay(world)
    assert world.temporal.asked == ["long"] * 3


def test_payloads_are_found_wherever_they_stand() -> None:
    history = History()
    event = history.events.add()
    event.workflow_execution_started_event_attributes.input.payloads.add(data=b"input")
    event.workflow_execution_started_event_attributes.memo.fields["a"].data = b"memo"
    event.workflow_execution_started_event_attributes.continued_failure.cause.encoded_attributes.data = b"cause"
    event.user_metadata.summary.data = b"summary"
    assert {it.data for it in payloads_of(history)} == {b"input", b"memo", b"cause", b"summary"}
