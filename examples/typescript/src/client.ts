/** Starts one workflow, asks it something, tells it something, and prints what it returns. */
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { address, dataConverter, namespace, taskQueue } from './settings.ts';
import { customer, order, ship } from './workflows.ts';

const connection = await Connection.connect({ address });
try {
  const client = new Client({ connection, namespace, dataConverter });
  const workflowId = process.argv[2] ?? `order-${randomUUID().slice(0, 8)}`;
  const handle = await client.workflow.start(order, {
    taskQueue,
    workflowId,
    args: [{ customer: 'Ada Lovelace', card: '4242 4242 4242 4242', cents: 1999 }],
    memo: { note: 'a gift, no invoice in the parcel' },
  });
  process.stdout.write(`started ${workflowId} for ${await handle.query(customer)}\n`);
  await handle.signal(ship, '12 St James’s Square, London');
  process.stdout.write(`${JSON.stringify(await handle.result())}\n`);
} finally {
  await connection.close();
}
