import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { createPayloadCodec } from '../../codec/index.ts';
import { fromTemporalPayload, toTemporalPayload } from '../../codec/temporal-codec.ts';
import { fromJson, type JsonPayload, toJson } from '../support/payloads.ts';

interface Vector {
  readonly name: string;
  readonly namespace: string;
  readonly payload: JsonPayload;
}

/** Read by the tests of every language: `workers/go/vectors_test.go` and its like. */
const vectors: { keyring: unknown; good: readonly (Vector & { expect: JsonPayload })[]; bad: readonly Vector[] } =
  JSON.parse(readFileSync(new URL('../vectors/workers.json', import.meta.url), 'utf8'));
const folder = mkdtempSync(join(tmpdir(), 'worker-vectors-'));
const keyring = join(folder, 'keyring.json');
writeFileSync(keyring, JSON.stringify(vectors.keyring), { mode: 0o600 });
afterAll(() => rmSync(folder, { recursive: true }));

async function open({ namespace, payload }: Vector): Promise<JsonPayload> {
  const codec = createPayloadCodec({ namespace, keys: { keyring } });
  const [decoded = {}] = await codec.decode([toTemporalPayload(fromJson(payload))]);
  return toJson(fromTemporalPayload(decoded));
}

describe('the vectors of all languages', () => {
  it.each(vectors.good.map((vector) => [vector.name, vector] as const))('open: %s', async (_, vector) => {
    expect(await open(vector)).toEqual(vector.expect);
  });

  it.each(vectors.bad.map((vector) => [vector.name, vector] as const))('are refused: %s', async (_, vector) => {
    await expect(open(vector)).rejects.toMatchObject({
      name: expect.stringMatching(/Error$/),
      reason: expect.any(String),
    });
  });
});
