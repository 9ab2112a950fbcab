"""A workflow that signals another one, and starts it: Temporal's own Nexus service takes the request in one payload.

python system_nexus.py ADDRESS NAMESPACE KEYRING TEXT
"""

import asyncio
import sys

from temporal_codec import EncryptionPlugin, KeyringFile
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import Worker


@workflow.defn(name="signaller")
class Signaller:
    @workflow.run
    async def run(self, text: str) -> str:
        handle = await workflow.signal_with_start_workflow(
            "nobodys",
            f"input {text}",
            id="signalled",
            task_queue="nobody",
            signal="note",
            signal_args=[f"signal {text}"],
            memo={"note": f"memo {text}"},
        )
        return handle.id


async def main(address: str, namespace: str, keyring: str, text: str) -> None:
    plugin = EncryptionPlugin(KeyringFile(keyring))
    client = await Client.connect(address, namespace=namespace, plugins=[plugin])
    async with Worker(client, task_queue="signallers", workflows=[Signaller]):
        print(await client.execute_workflow("signaller", text, id="signaller", task_queue="signallers"))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
