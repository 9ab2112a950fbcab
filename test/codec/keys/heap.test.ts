/** What remains of data keys in the memory of a process that is done with them. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { KmsStandIn } from '../../support/kms-stand-in.ts';

const folder = mkdtempSync(join(tmpdir(), 'heap-'));
let standIn: KmsStandIn;

beforeAll(async () => {
  standIn = await KmsStandIn.start();
});

afterAll(async () => {
  await standIn.close();
  rmSync(folder, { recursive: true });
});

it('after a codec is closed, no data key is in the heap, and none was printed', async () => {
  const file = join(folder, 'worker.heapsnapshot');
  const script = resolve(import.meta.dirname, '../../support/worker-heap.ts');
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--expose-gc', '--disable-warning=ExperimentalWarning', script, standIn.createKey(), file],
    {
      env: {
        ...process.env,
        AWS_ENDPOINT_URL_KMS: standIn.endpoint,
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        NODE_OPTIONS: '',
        NODE_DEBUG: 'http,net',
      },
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  const keys = [...new Set(standIn.plaintexts)];
  expect(keys.length).toBe(10);
  expect(standIn.count('GenerateDataKey')).toBe(10);
  expect(standIn.count('Decrypt')).toBe(10);
  const heap = readFileSync(file, 'latin1');
  expect(heap).toContain(standIn.endpoint.replace('http://', ''));
  for (const [where, text] of Object.entries({ heap, stdout, stderr })) {
    const found = keys.filter((key) => spellings(key).some((spelling) => text.includes(spelling)));
    expect([where, found.length]).toEqual([where, 0]);
  }
});

/** How a key may be written down. */
function spellings(base64: string): string[] {
  const bytes = Buffer.from(base64, 'base64');
  return [
    base64.slice(0, 40),
    bytes.toString('hex'),
    bytes.toString('base64url'),
    [...bytes].join(','),
    [...bytes].join(', '),
  ];
}
