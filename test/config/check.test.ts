import { describe, expect, it } from '@jest/globals';
import { checkConfig } from '../../config/check.ts';
import { formatProblems } from '../../config/problem.ts';
import { CONFIG_VERSION } from '../../config/schema.ts';
import dev from '../../environments/dev.ts';
import local from '../../environments/local.ts';

const problemsOf = (change: Record<string, unknown>) => checkConfig({ ...local, ...change });
const without = (field: string) => Object.fromEntries(Object.entries(local).filter(([name]) => name !== field));

describe('the check of a configuration', () => {
  it('finds nothing wrong with the configurations that come along', () => {
    expect(checkConfig(local)).toEqual([]);
    expect(checkConfig(dev)).toEqual([]);
  });

  it.each([undefined, null, 'text', [], 7])('refuses %j as a configuration', (config) => {
    expect(checkConfig(config)).toEqual([
      { path: 'the configuration', message: expect.stringContaining('write an object') },
    ]);
  });

  it.each(['defaultNamespace', 'compression', 'identity'])(
    'takes a missing %s for forgotten, and null for declined',
    (field) => {
      expect(checkConfig(without(field))).toEqual([
        { path: field, message: 'is missing: set it, or write null to decline it.' },
      ]);
      expect(problemsOf({ [field]: null })).toEqual([]);
    },
  );

  it.each(['cors', 'failures', 'access', 'keys'])(
    'takes a missing %s for forgotten, with nothing to decline',
    (field) => {
      expect(checkConfig(without(field))).toEqual([{ path: field, message: 'is missing: set it.' }]);
    },
  );

  it('takes a version or none, and of a file for a later release says one sentence', () => {
    expect(problemsOf({ version: CONFIG_VERSION })).toEqual([]);
    const later = { version: CONFIG_VERSION + 1, keys: { vault: true }, notKnownYet: {} };
    expect(problemsOf(later)).toEqual([
      {
        path: 'version',
        message: `is ${CONFIG_VERSION + 1}, and this release reads configurations of version ${CONFIG_VERSION}: upgrade temporal-codec-server.`,
      },
    ]);
    for (const version of [0, -1, 1.5])
      expect(problemsOf({ version })).toEqual([
        { path: 'version', message: `is ${version}, which never was: write ${CONFIG_VERSION}, or leave it out.` },
      ]);
    expect(problemsOf({ version: '1' })).toEqual([{ path: 'version', message: expect.stringContaining('a number') }]);
  });

  it('refuses white space around a namespace, wherever one is named', () => {
    const namespaces = [' orders', 'orders'];
    const people = [{ email: 'ada@example.com' }];
    const write = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
    const found = problemsOf({
      defaultNamespace: 'orders ',
      access: [{ name: 'team', namespaces, people, allow: ['decode'] }],
      keys: {
        keyring: { file: 'keyring.json', namespaces },
        keyringSecret: { secret: 'created-by-stack', namespaces },
        kms: [{ namespaces, write }],
        staticKeys: null,
      },
      storage: { buckets: [{ bucket: 'payloads', region: 'eu-central-1', namespaces }] },
    });
    expect(found.map(({ path }) => path)).toEqual([
      'defaultNamespace',
      'access[0].namespaces[0]',
      'keys.keyring.namespaces[0]',
      'keys.keyringSecret.namespaces[0]',
      'keys.kms[0].namespaces[0]',
      'storage.buckets[0].namespaces[0]',
    ]);
    for (const { message } of found) expect(message).toContain('white space around it');
  });

  it('wants each kind of key set or declined', () => {
    expect(problemsOf({ keys: {} }).map(({ path }) => path)).toEqual(['keys.keyring', 'keys.kms', 'keys.staticKeys']);
  });

  it('takes no false for the samples’ public key, which would be there all the same', () => {
    const keys = { keyring: { file: 'keyring.json' }, kms: null, staticKeys: { samplesTestKey: false } };
    expect(problemsOf({ keys })).toEqual([
      { path: 'keys.staticKeys.samplesTestKey', message: 'is a boolean: write true, or nothing of it at all.' },
    ]);
  });

  it('finds every problem at once, each with its place', () => {
    const problems = problemsOf({
      failures: 'maybe',
      acess: [],
      cors: { origins: ['*', 7], credentials: 'no' },
      access: [{ name: 'r', namespaces: ['*'], people: [{ mail: 'a@example.com' }], allow: ['read'] }],
      identity: { issuers: [{ type: 'oidc', issuer: 'https://i/' }], serviceTokens: { secrets: '' } },
      codecs: [{ codec: { encode() {} } }],
      limits: { payloads: '5' },
    });
    expect(problems.map(({ path }) => path)).toEqual([
      'cors.origins[1]',
      'cors.credentials',
      'failures',
      'identity.issuers[0].jwksUri',
      'identity.issuers[0].audience',
      'identity.issuers[0].from',
      'identity.serviceTokens',
      'access[0].people[0]',
      'access[0].allow[0]',
      'codecs[0].codec',
      'limits.payloads',
      'acess',
    ]);
    expect(formatProblems(problems)).toContain("  access[0].allow[0]: is a string: write one of 'decode', 'encode'.");
  });

  it('names fields and kinds, never values, which may be secrets in the wrong place', () => {
    const text = formatProblems(problemsOf({ keys: { ...local.keys, keyring: 'c2VjcmV0', kms: { key: 'c2VjcmV0' } } }));
    expect(text).toContain('keys.keyring');
    expect(text).not.toContain('c2VjcmV0');
  });

  it.each([
    ['*', 'wildcard'],
    ['https://*.example.com', 'wildcard'],
    ['cloud.temporal.io', 'is not an origin'],
    ['null', 'is not an origin'],
    ['ftp://cloud.temporal.io', 'is not an origin'],
    ['https://cloud.temporal.io/', "write 'https://cloud.temporal.io'"],
    ['https://cloud.temporal.io:443', "write 'https://cloud.temporal.io'"],
    ['https://Cloud.Temporal.io', "write 'https://cloud.temporal.io'"],
    ['https://cloud.temporal.io/namespaces', "write 'https://cloud.temporal.io'"],
  ])('refuses %j as an origin', (origin, words) => {
    const problems = problemsOf({ cors: { origins: ['https://a.example', origin], credentials: false } });
    expect(problems).toEqual([{ path: 'cors.origins[1]', message: expect.stringContaining(words) }]);
  });

  it('refuses an origin that is listed twice', () => {
    const origins = ['https://a.example', 'https://b.example', 'https://a.example'];
    expect(problemsOf({ cors: { origins, credentials: false } })).toEqual([
      { path: 'cors.origins[2]', message: "'https://a.example' is already cors.origins[0]: remove one." },
    ]);
  });

  it.each([
    ['bodyBytes', 0],
    ['bodyBytes', 1e9],
    ['payloads', 1.5],
    ['layers', -1],
    ['inflatedBytes', Number.NaN],
  ])('refuses limits.%s of %d', (name, value) => {
    expect(problemsOf({ limits: { [name]: value } })).toEqual([
      { path: `limits.${name}`, message: expect.stringContaining('whole number from 1 to') },
    ]);
  });
});
