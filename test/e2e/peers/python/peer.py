"""A worker and a client of Temporal's Python SDK, with the library of workers/python.

python peer.py worker ADDRESS NAMESPACE TASK_QUEUE KEYRING
python peer.py start ADDRESS NAMESPACE TASK_QUEUE KEYRING WORKFLOW_ID INPUT_JSON
"""

import asyncio
import json
import sys
from datetime import timedelta

from temporal_codec import EncryptionPlugin, KeyringFile
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker


@activity.defn(name="stamp")
async def stamp(secret: str) -> str:
    return f"{secret} seen by Python"


@workflow.defn(name="relay")
class Relay:
    @workflow.run
    async def run(self, message: dict) -> dict:
        stamped = await workflow.execute_activity(
            "stamp", message["secret"], start_to_close_timeout=timedelta(minutes=1)
        )
        return {"by": "Python", "received": message["from"], "stamped": stamped}


async def connect(address: str, namespace: str, keyring: str) -> Client:
    return await Client.connect(address, namespace=namespace, plugins=[EncryptionPlugin(KeyringFile(keyring))])


async def main(command: str, address: str, namespace: str, task_queue: str, keyring: str, *rest: str) -> None:
    client = await connect(address, namespace, keyring)
    if command == "start":
        workflow_id, text = rest
        result = await client.execute_workflow("relay", json.loads(text), id=workflow_id, task_queue=task_queue)
        print(json.dumps(result))
        return
    async with Worker(client, task_queue=task_queue, workflows=[Relay], activities=[stamp]):
        print("ready", flush=True)
        # Until whoever started this closes its input.
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
