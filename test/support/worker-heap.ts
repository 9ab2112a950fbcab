/**
 * A process that encodes and decodes under KMS, closes its codec, and writes a snapshot of its heap:
 * `node --expose-gc worker-heap.ts KEY_ARN SNAPSHOT_FILE`. KMS is wherever the environment says.
 */
import { writeHeapSnapshot } from 'node:v8';
import { createPayloadCodec } from '../../codec/index.ts';

const [arn = '', file = ''] = process.argv.slice(2);
const options = { namespace: 'orders', keys: { kms: arn }, cache: { maxMessages: 5 } };
const payloads = Array.from({ length: 50 }, (_, i) => ({
  metadata: { encoding: Buffer.from('json/plain') },
  data: Buffer.from(`"${i}"`),
}));

{
  const [writer, reader] = [createPayloadCodec(options), createPayloadCodec(options)];
  await reader.decode(await writer.encode(payloads));
  writer.close();
  reader.close();
}
// What the AWS client left behind is the collector's; give it the turns of the event loop that it needs.
for (let i = 0; i < 10; i++) {
  await new Promise((resolve) => setTimeout(resolve, 20));
  globalThis.gc?.();
}
writeHeapSnapshot(file);
