"""The worker under test in Python; what it is told and has to do is in ../README.md."""

import asyncio
import json
import os
import signal
from contextlib import AsyncExitStack
from datetime import timedelta

import nexusrpc.handler
from nexusrpc import Operation, service
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.worker import Worker

# The worker without the library has no plugin that lets the sandbox pass it through.
with workflow.unsafe.imports_passed_through():
    from temporal_codec import CacheSettings, EncryptionPlugin, KeyringFile, KmsKeys

ACTIVITY_TIMEOUT = timedelta(minutes=2)


@activity.defn(name="echo")
async def echo(text: str) -> str:
    return text


@activity.defn(name="fail")
async def fail(text: str) -> None:
    raise ApplicationError(f"activity {text}", text, type="Failed", non_retryable=True)


@workflow.defn(name="echo")
class Echo:
    @workflow.run
    async def run(self, text: str) -> str:
        return await workflow.execute_activity(echo, text, start_to_close_timeout=ACTIVITY_TIMEOUT)


@workflow.defn(name="fail")
class Fail:
    @workflow.run
    async def run(self, text: str) -> None:
        try:
            await workflow.execute_activity(fail, text, start_to_close_timeout=ACTIVITY_TIMEOUT)
        except ActivityError as error:
            raise ApplicationError(f"workflow {text}", text, type="Failed") from error


@workflow.defn(name="collect")
class Collect:
    def __init__(self) -> None:
        self._texts: list[str] = []

    @workflow.run
    async def run(self, count: str) -> list[str]:
        await workflow.wait_condition(lambda: len(self._texts) >= int(count))
        return self._texts

    @workflow.signal
    def add(self, text: str) -> None:
        self._texts.append(text)

    @workflow.query
    def collected(self) -> str:
        return str(len(self._texts))


@service(name="table")
class Table:
    greet: Operation[str, str]


@nexusrpc.handler.service_handler(service=Table)
class TableHandler:
    @nexusrpc.handler.sync_operation
    async def greet(self, _: nexusrpc.handler.StartOperationContext, text: str) -> str:
        return f"greeted {text}"


@workflow.defn(name="callNexus")
class CallNexus:
    @workflow.run
    async def run(self, text: str) -> str:
        client = workflow.create_nexus_client(service=Table, endpoint="table")
        return await client.execute_operation(Table.greet, text, schedule_to_close_timeout=timedelta(minutes=2))


def plugins_of(told: dict) -> list[EncryptionPlugin]:
    if told["keys"] is None:
        return []
    kms = told["keys"].get("kms")
    keys = KmsKeys(kms["write"], kms.get("read", [])) if kms else KeyringFile(told["keys"]["keyring"])
    cache = {}
    if "timeoutMs" in told:
        cache["timeout_seconds"] = told["timeoutMs"] / 1000
    if "writeMessages" in told:
        cache["write_messages"] = told["writeMessages"]
    plaintext = {"plaintext": told["plaintext"]} if "plaintext" in told else {}
    also_decode = told.get("alsoDecode", [])
    return [EncryptionPlugin(keys, also_decode=also_decode, cache=CacheSettings(**cache), **plaintext)]


async def main() -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    cached = os.environ.get("CACHED_WORKFLOWS")
    async with AsyncExitStack() as workers:
        for told in json.loads(os.environ["WORKERS"]):
            client = await Client.connect(told["address"], namespace=told["namespace"], plugins=plugins_of(told))
            worker = Worker(
                client,
                task_queue=told["taskQueue"],
                workflows=[Echo, Fail, Collect, CallNexus],
                activities=[echo, fail],
                nexus_service_handlers=[TableHandler()],
                graceful_shutdown_timeout=timedelta(seconds=2),
                **({} if cached is None else {"max_cached_workflows": int(cached)}),
            )
            await workers.enter_async_context(worker)
        print("READY", flush=True)
        await ended.wait()


if __name__ == "__main__":
    asyncio.run(main())
