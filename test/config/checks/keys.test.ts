import { describe, expect, it } from '@jest/globals';
import { checkKeys, type KeysOfConfig } from '../../../config/checks/keys.ts';
import type { AccessRule, KeysConfig, KmsKeyConfig } from '../../../config/schema.ts';

const A = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const B = 'arn:aws:kms:eu-central-1:111122223333:key/abcd1234-12ab-34cd-56ef-1234567890ab';
const ROLE = 'arn:aws:iam::444455556666:role/codec-keys';

function config(kms: readonly KmsKeyConfig[] | null, more: Partial<KeysConfig> = {}, rest: Partial<KeysOfConfig> = {}) {
  return { defaultNamespace: null, access: [], keys: { keyring: null, kms, staticKeys: null, ...more }, ...rest };
}

function rule(namespaces: readonly string[], allow: AccessRule['allow'] = ['decode']): AccessRule {
  return { name: 'a rule', namespaces, people: [{ email: 'ada@example.com' }], allow };
}

/** Problems as lines, each with its place. */
function problems(it: KeysOfConfig, place: 'local' | 'aws' = 'aws'): string[] {
  return checkKeys(it, place).map(({ path, message }) => `${path}: ${message}`);
}

describe('the keys of a configuration', () => {
  it('are in order when each namespace has one', () => {
    const kms = [
      { namespaces: ['legacy-*'], write: null, read: [B] },
      { namespaces: ['orders-*'], write: A, read: [B] },
      { namespaces: ['*'], write: 'created-by-stack' },
    ];
    const access = [rule(['*']), rule(['orders-prod'], ['decode', 'encode'])];
    expect(problems(config(kms, { cache: { ttlSeconds: 60 } }, { access, defaultNamespace: 'orders-prod' }))).toEqual(
      [],
    );
    expect(
      problems(config(null, { keyring: { file: 'keys.json' } }, { defaultNamespace: 'default' }), 'local'),
    ).toEqual([]);
  });

  it.each([
    ['alias/orders', 'An alias can be moved'],
    ['arn:aws:kms:eu-central-1:111122223333:alias/orders', 'An alias can be moved'],
    ['1234abcd-12ab-34cd-56ef-1234567890ab', 'is not an ARN of a KMS key'],
    ['arn:aws:kms:eu-central-1:1111:key/1234abcd', 'is not an ARN of a KMS key'],
    ['arn:aws:s3:::bucket', 'is not an ARN of a KMS key'],
    [`${A} `, 'is not an ARN of a KMS key'],
    ['', 'is not an ARN of a KMS key'],
  ])('name a key by its ARN, not by %j', (arn, expected) => {
    for (const [entry, path] of [
      [{ namespaces: ['a'], write: arn }, 'keys.kms[0].write: '],
      [{ namespaces: ['a'], write: A, read: [arn] }, 'keys.kms[0].read[0]: '],
    ] as const) {
      const found = problems(config([entry]));
      expect(found).toHaveLength(1);
      expect(found[0]).toContain(path);
      expect(found[0]).toContain(expected);
    }
  });

  it('name no key twice in an entry', () => {
    expect(problems(config([{ namespaces: ['a'], write: A, read: [A, B, B] }]))).toEqual([
      'keys.kms[0].read[0]: the same key as keys.kms[0].write: remove it here.',
      'keys.kms[0].read[2]: the same key as keys.kms[0].read[1]: remove it here.',
    ]);
  });

  it('may serve namespaces of several entries, but with one role', () => {
    const entries = [
      { namespaces: ['a'], write: A },
      { namespaces: ['b'], write: B, read: [A] },
    ];
    expect(problems(config(entries))).toEqual([]);
    expect(
      problems(config(entries.map((entry, index) => (index === 1 ? { ...entry, assumeRole: ROLE } : entry)))),
    ).toEqual(['keys.kms[1].assumeRole: keys.kms[0] uses the same key with another role: give both the same.']);
  });

  it('do not leave an entry without namespaces or without keys', () => {
    expect(problems(config([{ namespaces: [], write: A }]))).toEqual([
      "keys.kms[0].namespaces: it serves no namespace: name some, or write ['*'] for all.",
    ]);
    expect(problems(config([{ namespaces: ['a'], write: null }]))).toEqual([
      'keys.kms[0]: it names no key at all: give it write, read or both.',
    ]);
  });

  it('do not wait for a stack where there is none, nor use its key with a role', () => {
    const kms = [{ namespaces: ['*'], write: 'created-by-stack' }];
    expect(problems(config(kms), 'local')).toEqual([
      'keys.kms[0].write: no stack makes a key here: write the ARN of a key.',
    ]);
    expect(
      problems(config([{ ...kms[0], namespaces: ['*'], write: 'created-by-stack', assumeRole: ROLE }]))[0],
    ).toContain('keys.kms[0].assumeRole');
    expect(problems(config([{ namespaces: ['*'], write: A, assumeRole: 'codec-keys' }]))[0]).toContain(
      'expected the ARN of a role',
    );
  });

  it('say when a key never comes to write', () => {
    for (const [first, second] of [
      [['orders'], ['orders']],
      [['*'], ['orders-*']],
      [['orders-*'], ['orders-prod-*', 'orders-dev']],
    ] as const) {
      const found = problems(
        config([
          { namespaces: first, write: A },
          { namespaces: second, write: B },
        ]),
      );
      expect(found).toEqual([expect.stringContaining('keys.kms[1].write: this key never writes')]);
    }
    expect(
      problems(
        config([
          { namespaces: ['orders-prod'], write: A },
          { namespaces: ['orders-*'], write: B },
        ]),
      ),
    ).toEqual([]);
  });

  const UNBOUND = ['temporal-proxy', 'kms-python-sample', 'kms-java-sample'] as const;

  it.each(UNBOUND)('read %s, which binds nothing, under a key that serves one namespace alone', (format) => {
    const own = { namespaces: ['orders'], write: null, read: [A], foreignFormats: [format] };
    expect(problems(config([own]))).toEqual([]);
    expect(
      problems(
        config([
          { ...own, write: 'created-by-stack' },
          { namespaces: ['*'], write: B },
        ]),
      ),
    ).toEqual([]);
    for (const kms of [
      [{ ...own, namespaces: ['orders', 'billing'] }],
      [{ ...own, namespaces: ['orders-*'] }],
      [{ ...own, namespaces: ['*'] }],
      [own, { namespaces: ['billing'], write: A }],
      [own, { namespaces: ['billing'], write: B, read: [A] }],
    ]) {
      const [problem, ...others] = problems(config(kms));
      expect(problem).toContain(
        `keys.kms[0].foreignFormats: ${format} binds a payload to no namespace, and the key ${A} serves`,
      );
      expect(problem).toContain('in an entry of its own');
      expect(others).toEqual([]);
    }
  });

  it('count the replicas of a key as the same key', () => {
    const mrk = (region: string) => `arn:aws:kms:${region}:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab`;
    const orders = { namespaces: ['orders'], write: mrk('eu-central-1'), foreignFormats: ['temporal-proxy' as const] };
    const billing = { namespaces: ['billing'], write: mrk('eu-west-1') };
    expect(problems(config([orders]))).toEqual([]);
    expect(problems(config([orders, billing]))).toHaveLength(1);
  });

  it('read formats that bind their namespace under a key that several share', () => {
    const kms = [
      {
        namespaces: ['orders', 'billing-*'],
        write: A,
        foreignFormats: ['temporal-cloud-proxy', 'stdgo', 'temporal-proxy'] as const,
        keyUriContexts: [{ namespace: 'orders' }],
      },
    ];
    expect(problems(config(kms))).toEqual([]);
    expect(problems(config([{ ...(kms[0] as KmsKeyConfig), keyUriContexts: [{ tenant: 'blue' }] }]))).toHaveLength(1);
  });

  it('list contexts of key URIs for temporal-proxy alone', () => {
    const kms = [{ namespaces: ['orders'], write: A, keyUriContexts: [{ tenant: 'blue' }] }];
    expect(problems(config(kms))).toEqual([expect.stringContaining('keys.kms[0].keyUriContexts: only temporal-proxy')]);
  });

  it('serve every namespace that somebody may read', () => {
    const kms = [{ namespaces: ['orders-*'], write: A }];
    expect(problems(config(kms, {}, { access: [rule(['orders-prod', 'payments', '*-prod', 'payments-*'])] }))).toEqual([
      expect.stringContaining('access[0].namespaces[1]: no key serves payments'),
      expect.stringContaining('access[0].namespaces[3]: no key serves payments-*'),
    ]);
    const secret = { staticKeys: { secret: 'created-by-stack' } } as const;
    expect(problems(config(kms, secret, { access: [rule(['payments'])] }))).toEqual([]);
  });

  it('write every namespace that somebody may encode for, and the default one', () => {
    const kms = [{ namespaces: ['orders'], write: null, read: [A] }];
    const found = problems(config(kms, {}, { access: [rule(['orders'], ['encode'])], defaultNamespace: 'orders' }));
    expect(found).toEqual([
      expect.stringContaining('defaultNamespace: no key writes orders'),
      expect.stringContaining('access[0].namespaces[0]: the rule allows encode, and no key writes orders'),
    ]);
    const keyring = { keyring: { file: 'keys.json', namespaces: ['ord*'] } };
    expect(problems(config(kms, keyring, { access: [rule(['orders'], ['encode'])] }), 'local')).toEqual([]);
  });

  it('are cached within bounds', () => {
    const found = problems(
      config(null, { cache: { maxKeys: 0, ttlSeconds: 0.5, maxMessages: -1, maxBytes: Number.NaN } }),
    );
    expect(found.map((line) => line.split(':')[0])).toEqual([
      'keys.cache.maxKeys',
      'keys.cache.ttlSeconds',
      'keys.cache.maxMessages',
      'keys.cache.maxBytes',
    ]);
    expect(found[1]).toContain('seconds for which a revoked key still decodes');
  });

  it('may still hold a placeholder: that is another check’s business', () => {
    expect(problems(config([{ namespaces: ['*'], write: 'arn:aws:kms:<region>:<account>:key/<id>' }]))).toEqual([]);
  });
});
