"""A worker whose inputs, results and failures are encrypted: `python worker.py`, against a development server."""

import asyncio
import os

from temporal_codec import EncryptionPlugin, KeyringFile, KmsKeys
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import Worker


@workflow.defn
class Greeting:
    @workflow.run
    async def run(self, name: str) -> str:
        return f"Hello, {name}!"


async def main() -> None:
    key_arn = os.environ.get("KMS_KEY_ARN")
    keys = KmsKeys(key_arn) if key_arn else KeyringFile(os.environ.get("KEYRING", "../../.codec-server/keyring.json"))
    client = await Client.connect(
        os.environ.get("TEMPORAL_ADDRESS", "localhost:7233"),
        namespace=os.environ.get("TEMPORAL_NAMESPACE", "default"),
        plugins=[EncryptionPlugin(keys)],
    )
    async with Worker(client, task_queue="greetings", workflows=[Greeting]):
        result = await client.execute_workflow(Greeting.run, "Ada", id="greeting-python", task_queue="greetings")
        print(result)


if __name__ == "__main__":
    asyncio.run(main())
