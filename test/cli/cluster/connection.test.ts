import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectionOf } from '../../../cli/cluster/connection.ts';
import { UsageError } from '../../../cli/run-command.ts';

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'connection-'));
  writeFileSync(join(cwd, 'ca.pem'), 'CA');
  writeFileSync(join(cwd, 'key'), 'from-file\n');
  writeFileSync(
    join(cwd, 'temporal.toml'),
    `# written by hand
[profile.default]
address = "from-profile:7233" # the default
namespace = 'orders'

[profile.cloud]
address = "orders.a1b2c.tmprl.cloud:7233"
namespace = "orders.a1b2c"
api_key = "from-profile"
[profile.cloud.tls]
server_name = "other \\"name\\""
client_cert_data = "CERT"
[profile.cloud.codec]
endpoint = "https://codec.example.com"
[profile.mtls.tls]
disabled = false
client_cert_path = "ca.pem"
`,
  );
});
afterAll(() => rmSync(cwd, { recursive: true }));

const file = { TEMPORAL_CONFIG_FILE: 'temporal.toml' };

describe('how to reach a Temporal server', () => {
  it('is localhost without TLS when nothing is said', () => {
    expect(connectionOf({}, {}, cwd)).toEqual({
      address: 'localhost:7233',
      namespace: 'default',
      tls: undefined,
      metadata: { 'temporal-namespace': 'default' },
    });
  });

  it('is said by flags, then by variables, then by the profile', () => {
    expect(connectionOf({}, file, cwd)).toMatchObject({ address: 'from-profile:7233', namespace: 'orders' });
    const env = { ...file, TEMPORAL_ADDRESS: 'from-env:7233' };
    expect(connectionOf({}, env, cwd)).toMatchObject({ address: 'from-env:7233', namespace: 'orders' });
    expect(connectionOf({ address: 'flag:1', namespace: 'flagged' }, env, cwd)).toMatchObject({
      address: 'flag:1',
      namespace: 'flagged',
    });
  });

  it('takes API keys and certificates, which switch TLS on', () => {
    const cloud = connectionOf({ profile: 'cloud' }, file, cwd);
    expect(cloud).toMatchObject({
      tls: { servername: 'other "name"', cert: Buffer.from('CERT') },
      metadata: { authorization: 'Bearer from-profile', 'temporal-namespace': 'orders.a1b2c' },
    });
    expect(connectionOf({ 'api-key-file': 'key' }, {}, cwd).metadata['authorization']).toBe('Bearer from-file');
    expect(connectionOf({ 'tls-ca-path': 'ca.pem' }, {}, cwd).tls).toEqual({ ca: Buffer.from('CA') });
    expect(connectionOf({}, { ...file, TEMPORAL_PROFILE: 'mtls' }, cwd).tls).toEqual({ cert: Buffer.from('CA') });
    expect(connectionOf({ tls: true }, {}, cwd).tls).toEqual({});
  });

  it('sends no API key in the open to another machine', () => {
    const env = { TEMPORAL_API_KEY: 'secret', TEMPORAL_TLS: 'false' };
    for (const address of ['temporal.example.com:7233', '127.0.0.1.example.com:7233', 'localhost.example.com:7233'])
      expect(() => connectionOf({ address }, env, cwd)).toThrow(/over TLS only/);
    for (const address of ['127.0.0.1:7233', '[::1]:7233'])
      expect(connectionOf({ address }, env, cwd).tls).toBeUndefined();
    expect(connectionOf({}, env, cwd).tls).toBeUndefined();
  });

  it('says in one sentence what is wrong', () => {
    writeFileSync(join(cwd, 'strange.toml'), '[profile.default]\naddress = ["a"]\n');
    for (const [flags, env, said] of [
      [{ address: 'http://host' }, {}, /is not a host:port/],
      [{ profile: 'none' }, file, /has no profile "none"/],
      [{ profile: 'none' }, {}, /There is no configuration file/],
      [{}, { TEMPORAL_CONFIG_FILE: 'strange.toml' }, /line 2 has a value that is not understood/],
      [{ 'tls-cert-path': 'none.pem' }, {}, /none\.pem cannot be read \(ENOENT\)/],
    ] as const) {
      expect(() => connectionOf(flags, env, cwd)).toThrow(UsageError);
      expect(() => connectionOf(flags, env, cwd)).toThrow(said);
    }
  });
});
