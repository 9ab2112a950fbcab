import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { type DataConverter, defaultPayloadConverter, type Payload } from '@temporalio/common';
import protobuf from '@temporalio/proto';
import { CannotEncodeError, type EncryptionPluginOptions, encryptionPlugin } from '../../../codec/index.ts';
import { formatKeyring, newKeyring } from '../../../codec/keys/keyring/keyring.ts';

const folder = mkdtempSync(join(tmpdir(), 'summaries-'));
afterAll(() => rmSync(folder, { recursive: true }));
const keyring = join(folder, 'keyring.json');
writeFileSync(keyring, formatKeyring(newKeyring()), { mode: 0o600 });

interface Client {
  readonly dataConverter: DataConverter;
  readonly interceptors: {
    readonly activity: { start(input: object, next: (input: object) => Promise<unknown>): Promise<unknown> }[];
    readonly nexus: { startOperation(input: object, next: (input: object) => Promise<unknown>): Promise<unknown> }[];
    readonly workflow?: unknown;
  };
}

const { Payload: PayloadMessage } = protobuf.temporal.api.common.v1;
const clientWith = (options: Partial<EncryptionPluginOptions> = {}, given: object = {}) =>
  encryptionPlugin({ keys: { keyring }, ...options }).configureClient<object>({
    namespace: 'orders',
    ...given,
  }) as Client;

/** Starts through the interceptors as the SDK does. @returns what reached the server's side of them */
async function started({ interceptors }: Client, kind: 'activity' | 'nexus', summary?: string): Promise<object> {
  const next = async (it: object) => it;
  if (kind === 'nexus')
    return (await interceptors.nexus.at(-1)?.startOperation({ id: 'o-1', summary }, next)) as object;
  const input = { activityType: 'charge', options: { id: 'a-1', summary } };
  return (await interceptors.activity.at(-1)?.start(input, next)) as object;
}

/** What the server measures: the encoded payload as a message. */
async function lengthOf({ dataConverter }: Client, summary: string): Promise<number> {
  const payload = defaultPayloadConverter.toPayload(summary) as Payload;
  const [encoded] = (await dataConverter.payloadCodecs?.[0]?.encode([payload])) ?? [];
  return PayloadMessage.encode(encoded as Payload).finish().length;
}

describe('the summary of a standalone Activity or Nexus operation', () => {
  it.each(['activity', 'nexus'] as const)('passes up to the limit of the server, of %s', async (kind) => {
    const client = clientWith();
    const most = 'x'.repeat(400 - (await lengthOf(client, '')));
    expect(await lengthOf(client, most)).toBe(400);
    await expect(started(client, kind, most)).resolves.toBeDefined();
    await expect(started(client, kind, `${most}x`)).rejects.toThrow(CannotEncodeError);
    await expect(started(client, kind, `${most}x`)).rejects.toThrow(
      `the summary of the ${kind === 'nexus' ? 'Nexus operation o-1' : 'activity a-1'} takes 401 bytes encrypted, and the server takes 400: shorten it, or leave it out`,
    );
  });

  it('is counted in bytes of UTF-8, with the codecs of one’s own', async () => {
    const client = clientWith();
    await expect(started(client, 'activity', 'ü'.repeat(60))).rejects.toThrow('takes 4');
    const longer = {
      encode: async (payloads: Payload[]) => payloads.map((it) => ({ ...it, data: Buffer.alloc(1000) })),
      decode: async (payloads: Payload[]) => payloads,
    };
    const dataConverter = { payloadCodecs: [longer] };
    await expect(started(clientWith({}, { dataConverter }), 'activity', 'short')).rejects.toThrow(CannotEncodeError);
  });

  it('is not encoded when there is none', async () => {
    const refusing = { encode: () => Promise.reject(new Error('it was encoded')), decode: async (it: Payload[]) => it };
    const client = clientWith({}, { dataConverter: { payloadCodecs: [refusing] } });
    await expect(started(client, 'activity', '')).rejects.toThrow('it was encoded');
    await expect(started(client, 'activity')).resolves.toBeDefined();
    await expect(started(client, 'nexus')).resolves.toBeDefined();
  });

  it('may be longer where the server’s own setting says so', async () => {
    await expect(started(clientWith({ summaryBytes: 1000 }), 'nexus', 'x'.repeat(200))).resolves.toBeDefined();
    expect(() => clientWith({ summaryBytes: 0 })).toThrow('summaryBytes must be a whole number from 1');
  });

  it('is looked at after the interceptors of the client, which stay', () => {
    const [own, workflow] = [{ start: async () => undefined }, [{}]];
    const { interceptors } = clientWith({}, { interceptors: { activity: [own], workflow } });
    expect(interceptors.activity).toHaveLength(2);
    expect(interceptors.activity[0]).toBe(own);
    expect(interceptors.workflow).toBe(workflow);
  });
});
