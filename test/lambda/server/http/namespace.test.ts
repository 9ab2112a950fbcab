import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HttpError } from '../../../../lambda/server/http/message.ts';
import { namedNamespace, namespacesNamedBy } from '../../../../lambda/server/http/route.ts';

const NOTHING_ELSE = { defaultNamespace: null, isKnown: () => false };

describe('the namespace that a caller names', () => {
  it.each<[readonly string[], string | undefined, string | null, string | undefined]>([
    [['orders'], 'known', 'default', 'orders'],
    [['', 'orders'], 'known', null, 'orders'],
    [['orders', 'orders'], undefined, null, 'orders'],
    [[''], 'known', 'default', 'known'],
    [['undefined'], 'known', null, 'known'],
    [[], 'api', 'default', 'default'],
    [[], 'api', null, undefined],
    [['undefined'], 'my%20api', null, undefined],
    [[], 'Known', null, undefined],
    [[], '{namespace}', 'default', 'default'],
    [[], '%7Bnamespace%7D', 'default', 'default'],
    [[], '%7bnamespace%7D', null, undefined],
    [[], undefined, 'default', 'default'],
    [[], undefined, null, undefined],
    [[], 'orders%2Eprod', null, 'orders.prod'],
  ])('of headers %j, path %j and setting %j is %j', (headers, path, defaultNamespace, expected) => {
    const isKnown = (name: string) => ['known', 'orders.prod'].includes(name);
    expect(namedNamespace(headers, path, { defaultNamespace, isKnown })).toBe(expected);
  });

  it('is in the path where a rule, a KMS key or the keyring names it, in full or by a pattern that is more than *', () => {
    const rule = { name: 'r', people: [], allow: [] };
    const isKnown = namespacesNamedBy(
      [
        { ...rule, namespaces: ['orders', 'billing-*'] },
        { ...rule, namespaces: ['*', '**'] },
      ],
      {
        kms: [
          { namespaces: ['payroll'], write: null },
          { namespaces: ['*'], write: null },
        ],
        keyring: { file: 'k', namespaces: ['local'] },
        staticKeys: null,
      },
    );
    const named = ['orders', 'billing-eu', 'payroll', 'local', 'api', 'v1', '*', ''].filter(isKnown);
    expect(named).toEqual(['orders', 'billing-eu', 'payroll', 'local']);
    const ofAll = { kms: null, keyring: { file: 'k' }, staticKeys: null };
    expect(namespacesNamedBy([], ofAll)('api')).toBe(false);
  });

  it('reads UTF-8 in a header, however the host hands it over', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[\p{L}\p{N}.-]{1,50}$/u), (name) => {
        expect(namedNamespace([Buffer.from(name).toString('latin1')], undefined, NOTHING_ELSE)).toBe(name);
        if (/[^\0-\xff]/.test(name)) expect(namedNamespace([name], undefined, NOTHING_ELSE)).toBe(name);
        expect(namedNamespace([], encodeURIComponent(name), { ...NOTHING_ELSE, isKnown: (it) => it === name })).toBe(
          name,
        );
      }),
    );
  });

  it('reads Latin-1 in a header as it stands, where it is not UTF-8', () => {
    expect(namedNamespace(['caf\xe9'], undefined, NOTHING_ELSE)).toBe('café');
  });

  it.each([
    'a b',
    ' a',
    'a\tb',
    'a\u200bb',
    'a\u202eb',
    'a\ufeff',
    'a\u0000',
    'a\ud800',
    'a\u00a0b',
    'n'.repeat(1001),
    'ü'.repeat(501),
  ])('is never %j', (name) => {
    expect(() => namedNamespace([name], undefined, NOTHING_ELSE)).toThrow(HttpError);
    expect(() => namedNamespace([], name, { ...NOTHING_ELSE, isKnown: () => true })).toThrow(HttpError);
  });

  it('does not repeat in its refusal what was sent', () => {
    expect(() => namedNamespace(['secret secret'], undefined, NOTHING_ELSE)).toThrow(
      /^X-Namespace names a namespace with white/,
    );
  });
});
