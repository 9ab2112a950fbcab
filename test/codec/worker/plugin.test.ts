import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { type DataConverter, defaultPayloadConverter, type Payload } from '@temporalio/common';
import { failureConverterPath } from '../../../codec/failure-converter-path.ts';
import {
  CodecOptionsError,
  createDataConverter,
  createPayloadCodec,
  type EncryptionPluginOptions,
  encryptionPlugin,
} from '../../../codec/index.ts';
import { formatKeyring, newKeyring } from '../../../codec/keys/keyring/keyring.ts';

const folder = mkdtempSync(join(tmpdir(), 'plugin-'));
afterAll(() => rmSync(folder, { recursive: true }));
const keyring = join(folder, 'keyring.json');
writeFileSync(keyring, formatKeyring(newKeyring()), { mode: 0o600 });

const plugin = (options: Partial<EncryptionPluginOptions> = {}) => encryptionPlugin({ keys: { keyring }, ...options });
const payload = defaultPayloadConverter.toPayload('secret') as Payload;
const codecOf = (options: object) => (options as { dataConverter: DataConverter }).dataConverter.payloadCodecs?.[0];
const bundle = join(folder, 'bundle.js');

describe('the encryption plugin', () => {
  it('encrypts for the namespace that the client or worker names, and by default for the SDK’s', async () => {
    const encryption = plugin();
    for (const [options, namespace] of [
      [{ namespace: 'orders' }, 'orders'],
      [{}, 'default'],
    ] as const) {
      for (const configured of [encryption.configureClient(options), encryption.configureWorker(options)]) {
        const encoded = await codecOf(configured)?.encode([payload]);
        const reader = createPayloadCodec({ namespace, keys: { keyring } });
        expect(Buffer.from((await reader.decode(encoded ?? []))[0]?.data ?? []).toString()).toBe('"secret"');
        expect(configured).toMatchObject({
          ...options,
          dataConverter: { failureConverterPath: failureConverterPath() },
        });
      }
    }
    encryption.close();
  });

  it('has one codec for a namespace, and puts it there once, though the connection brings it, too', () => {
    const encryption = plugin();
    const inner = { encode: async (it: Payload[]) => it, decode: async (it: Payload[]) => it };
    const once = encryption.configureWorker({ namespace: 'orders', dataConverter: { payloadCodecs: [inner] } });
    expect(encryption.configureWorker(once)).toBe(once);
    const client = encryption.configureClient({ namespace: 'orders' });
    expect(encryption.configureClient(client)).toBe(client);
    expect(codecOf(encryption.configureWorker({ namespace: 'orders' }))).toBe(codecOf(client));
  });

  it('refuses a workflow bundle whose failures would be plain text, by code and by path', () => {
    writeFileSync(bundle, 'a bundle without it');
    const encryption = plugin();
    for (const workflowBundle of [{ code: 'a bundle without it' }, { codePath: bundle }]) {
      expect(() => encryption.configureWorker({ workflowBundle })).toThrow(
        /plain text: give bundleWorkflowCode the same/,
      );
      expect(plugin({ encryptFailures: false }).configureWorker({ workflowBundle })).toHaveProperty('dataConverter');
      const dataConverter = { failureConverterPath: '/own.js' };
      expect(encryption.configureWorker({ workflowBundle, dataConverter })).toMatchObject({ dataConverter });
    }
    writeFileSync(bundle, "x=Symbol.for('temporal-codec-server/failure-part')");
    expect(encryption.configureWorker({ workflowBundle: { codePath: bundle } })).toHaveProperty('dataConverter');
  });

  it('gives the bundler the failure converter, unless there is another', () => {
    expect(plugin().configureBundler({})).toEqual({ failureConverterPath: failureConverterPath() });
    const own = { failureConverterPath: '/own.js' };
    expect(plugin().configureBundler(own)).toEqual(own);
    expect(plugin({ encryptFailures: false }).configureBundler({})).toEqual({});
  });

  it('replays histories of any namespace, and writes nothing that anybody could read', async () => {
    const encryption = plugin();
    const written = await createPayloadCodec({ namespace: 'orders', keys: { keyring } }).encode([payload]);
    const replay = codecOf(encryption.configureReplayWorker({}));
    expect(Buffer.from((await replay?.decode(written))?.[0]?.data ?? []).toString()).toBe('"secret"');
    const thrownAway = (await replay?.encode([payload])) ?? [];
    expect(Buffer.from(thrownAway[0]?.data ?? []).includes('secret')).toBe(false);
    await expect(replay?.decode(thrownAway)).rejects.toThrow('unknown-key');
  });

  it('leaves the failures of a replay readable, by a copy of the bundle that no worker takes', () => {
    const code = `x=Symbol.for('temporal-codec-server/failure-part')\n//# sourceMappingURL=data:x`;
    writeFileSync(bundle, code);
    const encryption = plugin();
    for (const workflowBundle of [{ code }, { codePath: bundle }]) {
      const given = { ...workflowBundle };
      const replayed = encryption.configureReplayWorker({ workflowBundle }) as { workflowBundle: { code: string } };
      expect(workflowBundle).toEqual(given);
      expect(replayed.workflowBundle.code.split('\n')).toEqual([
        code.split('\n')[0],
        'globalThis[Symbol.for("temporal-codec-server/replay")] = true;',
        code.split('\n')[1],
      ]);
      expect(() => encryption.configureWorker(replayed)).toThrow(/made without the failure converter, or for a replay/);
    }
    expect(encryption.configureWorker({ workflowBundle: { code } })).toHaveProperty('dataConverter');
  });

  it('has a bundle that is made for a replay without the failure converter, and every other one with it', () => {
    const encryption = plugin();
    const replayed = encryption.configureReplayWorker({ plugins: [encryption] });
    expect(replayed).not.toHaveProperty('dataConverter.failureConverterPath');
    expect(replayed.plugins[0]?.configureBundler({})).toEqual({});
    expect(encryption.configureBundler({})).toEqual({ failureConverterPath: failureConverterPath() });
    const dataConverter = { failureConverterPath: '/own.js' };
    expect(encryption.configureReplayWorker({ dataConverter })).toMatchObject({ dataConverter });
  });

  it.each([
    ['an option that it does not know', { namespace: 'orders' } as object, /^there is no option namespace/],
    ['a misspelled one of its own', { encryptFailure: true } as object, /encryptFailures, summaryBytes$/],
    ['no keys', { keys: undefined as never }, /^keys names none/],
    ['a switch that is neither on nor off', { encryptFailures: null as never }, /^encryptFailures must be true, false/],
  ])('is refused with %s, before anything is configured', (_what, options, error) => {
    expect(() => plugin(options)).toThrow(error);
    expect(() => plugin(options)).toThrow(CodecOptionsError);
  });

  it('is refused without options', () => {
    expect(() => encryptionPlugin(undefined as never)).toThrow(/^keys names none to write with/);
    expect(() => createDataConverter(undefined as never)).toThrow(/^keys names none to write with/);
    expect(() => createPayloadCodec(undefined as never)).toThrow(/^keys names none to write with/);
  });
});
