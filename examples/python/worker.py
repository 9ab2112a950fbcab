"""A worker whose inputs and results are encrypted: `python worker.py`, against a development server."""

import asyncio
import dataclasses
import os

import temporalio.converter
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import Worker

with workflow.unsafe.imports_passed_through():
    from codec import EncryptionCodec, kms_keys, local_key


@workflow.defn
class Greeting:
    @workflow.run
    async def run(self, name: str) -> str:
        return f"Hello, {name}!"


async def main() -> None:
    namespace = os.environ.get("TEMPORAL_NAMESPACE", "default")
    key_arn = os.environ.get("KMS_KEY_ARN")
    keys = kms_keys(key_arn) if key_arn else local_key(os.environ.get("KEYRING", "../../.codec-server/keyring.json"))
    converter = dataclasses.replace(
        temporalio.converter.default(), payload_codec=EncryptionCodec(namespace, keys)
    )
    address = os.environ.get("TEMPORAL_ADDRESS", "localhost:7233")
    client = await Client.connect(address, namespace=namespace, data_converter=converter)
    async with Worker(client, task_queue="greetings", workflows=[Greeting]):
        result = await client.execute_workflow(Greeting.run, "Ada", id="greeting-python", task_queue="greetings")
        print(result)


if __name__ == "__main__":
    asyncio.run(main())
