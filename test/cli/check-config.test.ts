import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { checkConfigCommand } from '../../cli/check-config.ts';
import { helpOf } from '../../cli/command.ts';
import { COMMANDS } from '../../cli/commands.ts';
import dev from '../../environments/dev.ts';
import local from '../../environments/local.ts';
import { TestCommandIo } from '../support/command-io.ts';

const LOCAL = resolve('environments/local.ts');

describe('codec-server check-config', () => {
  let folder: string;
  let io: TestCommandIo;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'check-config-'));
    io = new TestCommandIo({ cwd: folder });
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  function write(name: string, change: Record<string, unknown>): string {
    writeFileSync(join(folder, name), `export default ${JSON.stringify({ ...local, ...change })};`);
    return name;
  }

  it('prints who may do what where', async () => {
    expect(await checkConfigCommand([LOCAL], io)).toBe(0);
    expect(io.out).toBe(
      `${LOCAL} can be used.

Callers prove who they are by:
  nobody is asked; the server only listens on loopback addresses

may     in namespace  who                              by the rule
------  ------------  -------------------------------  ------------
decode  *             anyone on this machine, unasked  this machine
encode  *             anyone on this machine, unasked  this machine
`,
    );
  });

  it('says every problem at once, of form, of meaning and of deployment, and what was meant', async () => {
    const file = write('slips.mjs', {
      acess: [],
      defaultNamespace: null,
      failures: 'explian',
      cors: { origins: ['cloud.temporal.io'], credentials: false },
      identity: null,
      access: [],
      keys: { keyring: null, kms: null, staticKeys: null },
      deployment: { ...dev.deployment, onDelete: 'retian' },
    });
    expect(await checkConfigCommand([file, '--json'], io)).toBe(1);
    const problems = (JSON.parse(io.out).problems as { path: string; message: string }[]).map(
      ({ path, message }) => `${path} ${message}`,
    );
    expect(problems).toEqual([
      expect.stringMatching(/^failures .*'explain'/),
      expect.stringMatching(/^deployment\.onDelete .*'retain'/),
      expect.stringMatching(/^acess there is no such field: did you mean access\?/),
      expect.stringMatching(/^cors\.origins\[0\] /),
      expect.stringMatching(/^identity a server on AWS verifies who calls/),
      expect.stringMatching(/^keys\.kms there is no key/),
    ]);
  });

  it('warns of a namespace without its account under Temporal Cloud', async () => {
    const people = [{ emailDomain: 'example.com' }];
    const file = write('short.mjs', {
      defaultNamespace: null,
      identity: { issuers: [{ type: 'temporal-cloud' }], serviceTokens: null },
      access: [{ name: 'r', namespaces: ['orders-prod', 'orders.a1b2c', 'dev-*'], people, allow: ['decode'] }],
    });
    expect(await checkConfigCommand([file, '--json'], io)).toBe(0);
    const warnings = (JSON.parse(io.out).warnings as { path: string }[]).map(({ path }) => path);
    expect(warnings).toEqual(['access[0].namespaces[0]']);
  });

  it('names every way to prove oneself, and every kind of people', async () => {
    const oidc = {
      type: 'oidc',
      issuer: 'https://i/',
      jwksUri: 'https://i/k',
      audience: ['a', 'b'],
      from: 'authorization-extras',
    };
    const file = write('all.mjs', {
      identity: {
        issuers: [{ type: 'temporal-cloud' }, oidc],
        serviceTokens: { file: 'tokens.json' },
        temporalCloudRoles: { apiKey: { file: 'key' } },
      },
      access: [
        {
          name: 'team',
          namespaces: ['orders', 'billing'],
          people: [
            { email: 'a@example.com', issuer: 'https://i/' },
            { emailDomain: 'example.com', issuer: 'https://i/' },
            { serviceToken: 'ci' },
            { temporalCloudRole: 'read', issuer: 'https://login.tmprl.cloud/' },
            { claim: 'groups', includes: '{namespace}', issuer: 'https://i/' },
          ],
          allow: ['decode'],
        },
      ],
    });
    expect(await checkConfigCommand([file, '--json'], io)).toBe(0);
    const report = JSON.parse(io.out);
    expect(report.callers).toEqual([
      'tokens of https://login.tmprl.cloud/ in Authorization, audience https://saas-api.tmprl.cloud',
      'tokens of https://i/ in Authorization-Extras, audience a or b',
      'service tokens in Authorization',
    ]);
    expect(report.policy).toHaveLength(10);
    expect(report.policy.slice(0, 5).map(({ who }: { who: string }) => who)).toEqual([
      'a@example.com by https://i/',
      'anyone @example.com by https://i/',
      'service token ci',
      'Temporal Cloud role read or higher by https://login.tmprl.cloud/',
      'claim groups = {namespace} by https://i/',
    ]);
    expect(report.policy[0]).toEqual({
      operation: 'decode',
      namespace: 'billing',
      who: 'a@example.com by https://i/',
      rule: 'team',
    });
  });

  it('checks documents before they are put into their secrets, and repeats nothing of them', async () => {
    const file = write('documents.mjs', { access: [] });
    const path = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return name;
    };
    const good = path('good.json', '{"tokens":[]}');
    expect(await checkConfigCommand([file, '--service-tokens', good], io)).toBe(0);
    const slips = [
      '--service-tokens',
      path('t.json', '{"tokens":[],}'),
      '--static-keys',
      path('k.json', '{"keys":[{"id":"a","key":"SECRET","namespaces":["a"]}]}'),
      '--session-keys',
      path('s.json', '{"key":"SECRET"}'),
    ];
    const strict = new TestCommandIo({ cwd: folder });
    expect(await checkConfigCommand([file, ...slips], strict)).toBe(1);
    expect(strict.out).toContain('--service-tokens t.json: it is not valid JSON');
    expect(strict.out).toContain('--static-keys k.json: keys[0].key');
    expect(strict.out).toContain('--session-keys s.json: key must be');
    expect(strict.out).not.toContain('SECRET');
  });

  it('refuses the files of secrets that the server would not start with, where they are on this machine', async () => {
    const key = Buffer.alloc(32, 7).toString('base64');
    writeFileSync(
      join(folder, 'shared.json'),
      `{"keys":[{"id":"a","key":"${key}","namespaces":["orders","billing"]}]}`,
      {
        mode: 0o600,
      },
    );
    writeFileSync(join(folder, 'slip.json'), '{"tokens":[],}', { mode: 0o600 });
    const { keys } = local;
    const file = write('files.mjs', {
      identity: { issuers: [{ type: 'temporal-cloud' }], serviceTokens: { file: 'slip.json' } },
      access: [],
      keys: { ...keys, staticKeys: { file: 'shared.json' } },
    });
    expect(await checkConfigCommand([file, '--json'], io)).toBe(1);
    const problems = (JSON.parse(io.out).problems as { path: string; message: string }[]).map(
      ({ path, message }) => `${path} ${message}`,
    );
    expect(problems).toEqual([
      expect.stringMatching(/^keys\.staticKeys\.file .*must be one namespace, written out in full/),
      expect.stringMatching(/^identity\.serviceTokens\.file .*not valid JSON/),
    ]);
    expect(io.out).not.toContain(key);
    const elsewhere = write('elsewhere.mjs', { keys: { ...keys, staticKeys: { file: 'none.json' } } });
    expect(await checkConfigCommand([elsewhere], new TestCommandIo({ cwd: folder }))).toBe(0);
  });

  it('warns, and fails for warnings when strict', async () => {
    const file = write('warns.mjs', { access: [] });
    expect(await checkConfigCommand([file], io)).toBe(0);
    expect(io.out).toContain('nobody may do anything');
    expect(io.out).toContain('Warnings:\n  access: there is no rule');
    expect(await checkConfigCommand([file, '--strict'], new TestCommandIo({ cwd: folder }))).toBe(1);
  });

  it('prints every problem at its place', async () => {
    const rule = {
      name: 'r',
      namespaces: ['x'],
      people: [{ email: 'nobody' }, { serviceToken: 'a' }],
      allow: ['decode'],
    };
    expect(await checkConfigCommand([write('bad.mjs', { access: [rule] })], io)).toBe(1);
    expect(io.out).toMatch(
      /^bad\.mjs cannot be used:\n\n {2}access\[0\]\.people\[0\]\.email: .+\n {2}access\[0\]\.people\[1\]\.serviceToken: .+\n$/,
    );
  });

  it('checks what only a deployment has to fulfill, for an environment on AWS', async () => {
    expect(await checkConfigCommand([resolve('environments/dev.ts')], io)).toBe(0);
    const prod = new TestCommandIo({ cwd: folder });
    expect(await checkConfigCommand([resolve('environments/prod.ts')], prod)).toBe(1);
    expect(prod.out).toContain('placeholder');
  });

  it('says in one sentence what is wrong with a file or with its arguments', async () => {
    expect(await checkConfigCommand(['none.ts'], io)).toBe(1);
    expect(io.err).toMatch(/^codec-server check-config: There is no configuration file .+none\.ts\.\n$/);
    expect(await checkConfigCommand(['a', 'b'], io)).toBe(2);
    expect(await checkConfigCommand(['--nope'], io)).toBe(2);
    expect(await checkConfigCommand(['--help'], io)).toBe(0);
    expect(io.out).toBe(helpOf('check-config', COMMANDS['check-config']));
  });
});
