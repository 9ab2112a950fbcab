import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { contextOfNamespace } from '../../../codec/aws-encryption-sdk/encryption-context.ts';
import { CannotEncodeError, CannotOpenError, CodecError } from '../../../codec/errors.ts';
import type { KeyContext } from '../../../codec/keys/key-source.ts';
import type { KeysConfig } from '../../../config/schema.ts';
import { type KeysHost, NotHereError, openServerKeys } from '../../../lambda/server/open-keys.ts';
import { TestClock } from '../../support/clock.ts';
import { PATIENCE_MS } from '../../support/patience.ts';

const NONE: KeysConfig = { keyring: null, kms: null, staticKeys: null };
const ARN = 'arn:aws:kms:eu-central-1:111122223333:key/5f0c2a51-0d8b-4d3f-9f57-1c2f3a4b5c6d';

let host: KeysHost;
beforeEach(() => {
  host = { cwd: mkdtempSync(join(tmpdir(), 'keys-')) };
});
afterEach(() => rmSync(host.cwd, { recursive: true }));

const contextOf = (namespace: string): KeyContext & { namespace: string } => ({
  namespace,
  deadline: Date.now() + PATIENCE_MS,
  usage: { keyIds: new Set(), cacheHits: 0, cacheMisses: 0 },
});

describe('opening the keys of a configuration', () => {
  it('makes the keyring file, relative to the folder it is started in, and finds it again', async () => {
    const config = { ...NONE, keyring: { file: 'folder/keyring.json', namespaces: ['orders'] } };
    const path = join(host.cwd, 'folder/keyring.json');
    const first = await openServerKeys(config, host);
    expect(first.keyring).toEqual({ path, made: true });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const again = await openServerKeys(config, host);
    expect(again.keyring).toEqual({ path, made: false });

    const { encryptedDataKeys } = await first.source.materialsFor(contextOfNamespace('orders'), 1, contextOf('orders'));
    const request = { kind: 'message', encryptedDataKeys, encryptionContext: contextOfNamespace('orders') } as const;
    expect((await again.source.unwrap(request, contextOf('orders'))).id).toMatch(/^codec-server\//);
    const other = async () => again.source.materialsFor(contextOfNamespace('other'), 1, contextOf('other'));
    await expect(other()).rejects.toThrow(CannotEncodeError);
    first.close();
    again.close();
  });

  it("reads the samples' key and static keys from a file", async () => {
    const samples = await openServerKeys({ ...NONE, staticKeys: { samplesTestKey: true } }, host);
    const request = { kind: 'static', keyId: 'test-key-id' } as const;
    expect((await samples.source.unwrap(request, contextOf('any'))).id).toBe('static/test-key-id');

    const key = Buffer.alloc(32, 5).toString('base64');
    const document = JSON.stringify({ keys: [{ id: 'mine', key, namespaces: ['orders'] }] });
    writeFileSync(join(host.cwd, 'static.json'), document, { mode: 0o600 });
    const own = await openServerKeys({ ...NONE, staticKeys: { file: 'static.json' } }, host);
    const unwrap = async (namespace: string) =>
      own.source.unwrap({ kind: 'static', keyId: 'mine' }, contextOf(namespace));
    expect((await unwrap('orders')).id).toBe('static/mine');
    await expect(unwrap('other')).rejects.toThrow(CannotOpenError);
    own.close();
  });

  it.each([
    ['is taken out of the file of static keys', '{"keys":[]}', 'CannotOpenError'],
    ['was to be taken out of it, with a slip', '{"keys":[],}', 'KeyUnavailableError'],
  ])('ends a static key five minutes after it %s', async (_, changed, error) => {
    const clock = new TestClock();
    try {
      const key = Buffer.alloc(32, 5).toString('base64');
      const path = join(host.cwd, 'static.json');
      const document = JSON.stringify({ keys: [{ id: 'mine', key, namespaces: ['orders'] }] });
      writeFileSync(path, document, { mode: 0o600 });
      const { source } = await openServerKeys({ ...NONE, staticKeys: { file: 'static.json' } }, host);
      const unwrap = async () => source.unwrap({ kind: 'static', keyId: 'mine' }, contextOf('orders'));
      expect((await unwrap()).id).toBe('static/mine');
      writeFileSync(path, changed);
      expect((await unwrap()).id).toBe('static/mine');
      clock.advance(300_000);
      await expect(unwrap()).rejects.toMatchObject({ name: error });
      writeFileSync(path, document);
      clock.advance(30_000);
      expect((await unwrap()).id).toBe('static/mine');
    } finally {
      jest.restoreAllMocks();
    }
  });

  it.each([
    ['missing.json', undefined],
    ['broken.json', '{"keys":[{"id":"a"'],
    ['wrong.json', '{"keys":[{"id":"a","key":"short","namespaces":["*"]}]}'],
  ])('refuses at start a file of static keys that cannot be used: %s', async (file, content) => {
    if (content !== undefined) writeFileSync(join(host.cwd, file), content, { mode: 0o600 });
    await expect(openServerKeys({ ...NONE, staticKeys: { file } }, host)).rejects.toThrow(CodecError);
  });

  it('puts the key that the stack created where the configuration says so', async () => {
    const config: KeysConfig = { ...NONE, kms: [{ namespaces: ['*'], write: 'created-by-stack' }] };
    const opened = await openServerKeys(config, { ...host, stackKeyArn: ARN });
    opened.close();
    await expect(openServerKeys(config, host)).rejects.toThrow(/^keys\.kms\[0\]\.write is 'created-by-stack'/);
    const secret: KeysConfig = { ...NONE, staticKeys: { secret: 'created-by-stack' } };
    await expect(openServerKeys(secret, host)).rejects.toThrow(NotHereError);
  });

  it('refuses at start keys under which a reader of one namespace could read another', async () => {
    const kms = [{ namespaces: ['orders', 'billing'], write: ARN, foreignFormats: ['temporal-proxy' as const] }];
    await expect(openServerKeys({ ...NONE, kms }, host)).rejects.toThrow(
      'temporal-proxy binds a payload to no namespace',
    );
    const file = 'shared.json';
    const key = Buffer.alloc(32, 1).toString('base64');
    const document = { keys: [{ id: 'a', key, namespaces: ['orders', 'billing'] }] };
    writeFileSync(join(host.cwd, file), JSON.stringify(document), { mode: 0o600 });
    await expect(openServerKeys({ ...NONE, staticKeys: { file } }, host)).rejects.toThrow('must be one namespace');
  });

  it('refuses a configuration that declines every kind of key', async () => {
    await expect(openServerKeys(NONE, host)).rejects.toThrow(NotHereError);
  });
});
