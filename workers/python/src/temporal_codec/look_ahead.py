"""Fetches the data keys of a history side by side, before its payloads are asked for.

The SDK decodes the payloads of a workflow task one after another and shows a codec none that is to come: a replay of a
thousand data keys would wait for a thousand calls in a row, longer than a workflow task may take. So a workflow that keeps
missing keys has its history read once more, for the keys in it.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from datetime import timedelta
from typing import Callable, Iterator

from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest
from temporalio.client import Client
from temporalio.service import RPCError

from .data_keys import DataKeys, Missing
from .errors import CodecError

#: Keys that one workflow misses in a row before its history is read. Fewer are fetched as quickly without.
_MISSES = 4
#: Seconds after which a miss counts no longer: as long as a workflow task takes at most. Keys of a workflow that goes on
#: for hours leave the cache one by one, without a replay.
_WINDOW_SECONDS = 10.0
#: Seconds before the history of the same workflow is read again.
_PAUSE_SECONDS = 60.0
#: Calls under way at once: half of the threads, so that what nobody looked ahead for finds a free one.
_CALLS = 16
_WORKFLOWS = 1000
_PAGE_TIMEOUT = timedelta(seconds=5)


class _Misses:
    __slots__ = ("count", "last", "next_look")

    def __init__(self) -> None:
        self.count = 0
        self.last = 0.0
        self.next_look = 0.0


class LookAhead:
    """Counts what workflows miss, and looks ahead for one of them at a time.

    :param missing: the key that a payload needs and the cache has not; None when there is nothing to fetch
    """

    def __init__(
        self,
        keys: DataKeys,
        missing: Callable[[Payload], Missing | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = keys
        self._missing = missing
        self._clock = clock
        self._client: Client | None = None
        self._misses: OrderedDict[str, _Misses] = OrderedDict()
        self._task: asyncio.Task[None] | None = None

    def use(self, client: Client) -> None:
        """The client of the worker whose workflows are replayed. Without one there is no look ahead."""
        self._client = client

    def missed(self, workflow_id: str) -> None:
        """Tells of a key that was not in the cache. To be called in an event loop."""
        client = self._client
        if client is None:
            return
        now = self._clock()
        misses = self._misses.setdefault(workflow_id, _Misses())
        self._misses.move_to_end(workflow_id)
        while len(self._misses) > _WORKFLOWS:
            self._misses.popitem(last=False)
        misses.count = misses.count + 1 if now - misses.last < _WINDOW_SECONDS else 1
        misses.last = now
        if misses.count < _MISSES or now < misses.next_look or (self._task is not None and not self._task.done()):
            return
        misses.next_look = now + _PAUSE_SECONDS
        self._task = asyncio.get_running_loop().create_task(self._look(client, workflow_id))

    async def _look(self, client: Client, workflow_id: str) -> None:
        try:
            request = GetWorkflowExecutionHistoryRequest(
                namespace=client.namespace, execution=WorkflowExecution(workflow_id=workflow_id)
            )
            while True:
                page = await client.workflow_service.get_workflow_execution_history(request, timeout=_PAGE_TIMEOUT)
                request.next_page_token = page.next_page_token
                if not await self._fetch(page.history) or not page.next_page_token:
                    return
        except RPCError:
            # Without the history the replay is slow, and right.
            return

    async def _fetch(self, history: Message) -> bool:
        """Whether every key could be had. The first fault ends the look ahead."""
        waiting: set[asyncio.Task[bool]] = set()
        try:
            for payload in payloads_of(history):
                if len(waiting) >= _CALLS:
                    done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                    if not all(it.result() for it in done):
                        return False
                else:
                    # It takes a moment to look at a payload, and there are thousands.
                    await asyncio.sleep(0)
                missing = self._missing(payload)
                if missing is not None:
                    waiting.add(asyncio.create_task(self._fetch_one(missing)))
            return all(await asyncio.gather(*waiting))
        finally:
            await asyncio.gather(*waiting, return_exceptions=True)

    async def _fetch_one(self, missing: Missing) -> bool:
        # A fault is a value here: asyncio logs the error of a task that nobody waits for, as when the loop ends.
        try:
            await self._keys.fetch(missing)
        except CodecError:
            # The decoding meets it, too, and tells it where somebody waits for it.
            return False
        return True


def payloads_of(message: Message) -> Iterator[Payload]:
    """Every payload in a message of Temporal's API, wherever it stands."""
    if isinstance(message, Payload):
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            if field.message_type.fields_by_name["value"].message_type is not None:
                for it in value.values():
                    yield from payloads_of(it)
        elif isinstance(value, Message):
            yield from payloads_of(value)
        else:
            for it in value:
                yield from payloads_of(it)
