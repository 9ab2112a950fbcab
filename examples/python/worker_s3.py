"""A worker whose large payloads go to S3, encrypted: `python worker_s3.py`, with S3_BUCKET and AWS credentials.

It runs one workflow that takes and returns a payload above the driver's threshold of 256 KiB.
"""

import asyncio
import dataclasses
import os

import temporalio.converter
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import Worker

with workflow.unsafe.imports_passed_through():
    import aioboto3
    from temporal_codec import EncryptionPlugin, KeyringFile, KmsKeys
    from temporalio.contrib.aws.s3driver import S3StorageDriver
    from temporalio.contrib.aws.s3driver.aioboto3 import new_aioboto3_client


@workflow.defn
class Shout:
    @workflow.run
    async def run(self, text: str) -> str:
        return text.upper()


async def main() -> None:
    key_arn = os.environ.get("KMS_KEY_ARN")
    keys = KmsKeys(key_arn) if key_arn else KeyringFile(os.environ.get("KEYRING", "../../.codec-server/keyring.json"))
    # Region and credentials come from where boto3 finds them.
    async with aioboto3.Session().client("s3") as s3:
        driver = S3StorageDriver(
            client=new_aioboto3_client(s3), bucket=os.environ.get("S3_BUCKET", "acme-temporal-payloads")
        )
        converter = dataclasses.replace(
            temporalio.converter.default(),
            # The plugin's codec encrypts, then the driver stores: what is in S3 is ciphertext.
            external_storage=temporalio.converter.ExternalStorage(drivers=[driver]),
        )
        client = await Client.connect(
            os.environ.get("TEMPORAL_ADDRESS", "localhost:7233"),
            namespace=os.environ.get("TEMPORAL_NAMESPACE", "default"),
            data_converter=converter,
            plugins=[EncryptionPlugin(keys)],
        )
        async with Worker(client, task_queue="large-payloads", workflows=[Shout]):
            text = "a secret of Ada Lovelace, " * 20_000
            result = await client.execute_workflow(Shout.run, text, id="large-python", task_queue="large-payloads")
            print(f"{len(result)} characters: {result[:24]}")


if __name__ == "__main__":
    asyncio.run(main())
