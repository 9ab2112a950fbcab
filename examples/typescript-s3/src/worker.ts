/** A worker whose large payloads go to S3, encrypted, and one workflow that takes and returns such a payload. */
import { fileURLToPath } from 'node:url';
import { S3Client } from '@aws-sdk/client-s3';
import { Client, Connection } from '@temporalio/client';
import { ExternalStorage } from '@temporalio/common';
import { S3StorageDriver } from '@temporalio/external-storage-s3';
import { AwsSdkS3StorageDriverClient } from '@temporalio/external-storage-s3-aws-sdk';
import { NativeConnection, Worker } from '@temporalio/worker';
import { type CodecKeys, createDataConverter } from 'temporal-codec-server-worker';
import { shout } from './workflows.ts';

const { env } = process;
const address = env['TEMPORAL_ADDRESS'] ?? 'localhost:7233';
const namespace = env['TEMPORAL_NAMESPACE'] ?? 'default';
const bucket = env['S3_BUCKET'] ?? 'acme-temporal-payloads';
const taskQueue = 'large-payloads';
const keys: CodecKeys = env['CODEC_KMS_KEY']
  ? { kms: env['CODEC_KMS_KEY'] }
  : { keyring: env['CODEC_KEYRING'] ?? '../../.codec-server/keyring.json' };

// Region and credentials come from where the AWS SDK finds them.
const s3 = new AwsSdkS3StorageDriverClient(new S3Client());
const dataConverter = {
  ...createDataConverter({ namespace, keys }),
  // The codec encrypts, then the driver stores: what is in S3 is ciphertext.
  externalStorage: new ExternalStorage({ drivers: [new S3StorageDriver({ client: s3, bucket })] }),
};

const connection = await Connection.connect({ address });
const workerConnection = await NativeConnection.connect({ address });
try {
  const workflowsPath = fileURLToPath(new URL('./workflows.ts', import.meta.url));
  const worker = await Worker.create({
    connection: workerConnection,
    namespace,
    taskQueue,
    workflowsPath,
    dataConverter,
  });
  const client = new Client({ connection, namespace, dataConverter });
  const result = await worker.runUntil(
    client.workflow.execute(shout, {
      taskQueue,
      workflowId: 'large-typescript',
      args: ['a secret of Ada Lovelace, '.repeat(20_000)],
    }),
  );
  process.stdout.write(`${result.length} characters: ${result.slice(0, 24)}\n`);
} finally {
  await connection.close();
  await workerConnection.close();
}
