import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readQuery, routeOf } from '../../../../lambda/server/http/route.ts';
import { cpuMilliseconds } from '../../../support/cpu-time.ts';

describe('the route of a path', () => {
  it.each([
    ['/decode', 'decode', undefined],
    ['//decode', 'decode', undefined],
    ['decode', 'decode', undefined],
    ['/ns/encode', 'encode', 'ns'],
    ['/a/ns///download', 'download', 'ns'],
    ['/decode/', 'decode', undefined],
    ['/healthz', 'healthz', undefined],
    ['/stage/readyz', 'readyz', 'stage'],
    ['/encode/../decode', 'decode', '..'],
    ['', undefined, undefined],
    ['/', undefined, undefined],
    ['/DECODE', undefined, undefined],
    ['/constructor', undefined, undefined],
    ['/__proto__', undefined, undefined],
  ])('of %j is %s behind %s', (path, operation, prefix) => {
    expect(routeOf(path)).toEqual({ operation, prefix });
  });

  it('is the last segment, whatever stands before it', () => {
    fc.assert(
      fc.property(fc.webPath(), fc.nat(3), (before, slashes) => {
        expect(routeOf(`${before}/${'/'.repeat(slashes)}decode`).operation).toBe('decode');
      }),
    );
  });

  it('takes time in proportion to the path', () => {
    const route = () => {
      expect(routeOf('/'.repeat(1_000_000)).operation).toBeUndefined();
      expect(routeOf(`${'/a'.repeat(1_000_000)}//decode`).prefix).toBe('a');
    };
    expect(cpuMilliseconds(route)).toBeLessThan(3_000);
  });
});

describe('preserveStorageRefs', () => {
  it.each([
    ['preserveStorageRefs=true', true],
    ['x=1&preserveStorageRefs=true', true],
    ['preserveStorageRefs=false', false],
    ['preserveStorageRefs', false],
    ['', false],
  ])('of %j is %s', (query, expected) => {
    expect(readQuery(query).preserveStorageRefs).toBe(expected);
  });
});
