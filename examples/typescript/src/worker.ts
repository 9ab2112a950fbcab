/** Runs the workflow until Ctrl-C. */
import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import * as activities from './activities.ts';
import { address, dataConverter, namespace, taskQueue } from './settings.ts';

const connection = await NativeConnection.connect({ address });
try {
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('./workflows.ts', import.meta.url)),
    activities,
    dataConverter,
  });
  await worker.run();
} finally {
  await connection.close();
}
