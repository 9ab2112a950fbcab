import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HttpError } from '../../../../lambda/server/http/http-error.ts';
import { namedNamespace } from '../../../../lambda/server/http/namespace.ts';

describe('the namespace that a caller names', () => {
  it.each<[readonly string[], string | undefined, string | null, string | undefined]>([
    [['orders'], 'path', 'default', 'orders'],
    [['', 'orders'], 'path', null, 'orders'],
    [['orders', 'orders'], undefined, null, 'orders'],
    [[''], 'path', 'default', 'path'],
    [['undefined'], 'path', null, 'path'],
    [[], '{namespace}', 'default', 'default'],
    [[], '%7Bnamespace%7D', 'default', 'default'],
    [[], '%7bnamespace%7D', null, undefined],
    [[], undefined, 'default', 'default'],
    [[], undefined, null, undefined],
    [[], 'orders%2Eprod', null, 'orders.prod'],
  ])('of headers %j, path %j and setting %j is %j', (headers, path, setting, expected) => {
    expect(namedNamespace(headers, path, setting)).toBe(expected);
  });

  it('reads UTF-8 in a header, however the host hands it over', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[\p{L}\p{N}.-]{1,50}$/u), (name) => {
        expect(namedNamespace([Buffer.from(name).toString('latin1')], undefined, null)).toBe(name);
        if (/[^\0-\xff]/.test(name)) expect(namedNamespace([name], undefined, null)).toBe(name);
        expect(namedNamespace([], encodeURIComponent(name), null)).toBe(name);
      }),
    );
  });

  it('reads Latin-1 in a header as it stands, where it is no UTF-8', () => {
    expect(namedNamespace(['caf\xe9'], undefined, null)).toBe('café');
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
    expect(() => namedNamespace([name], undefined, null)).toThrow(HttpError);
  });

  it('does not repeat in its refusal what was sent', () => {
    expect(() => namedNamespace(['secret secret'], undefined, null)).toThrow(
      /^X-Namespace names a namespace with white/,
    );
  });
});
