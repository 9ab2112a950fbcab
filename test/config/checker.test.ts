/**
 * A field of a configuration that nobody checks does not compile. The compiler shows it: each `@ts-expect-error` below is an
 * error of its own where the line after it compiles.
 */
import { describe, expect, it } from '@jest/globals';
import {
  type Check,
  formOf,
  formOfType,
  listOf,
  nullable,
  number,
  object,
  optional,
  text,
} from '../../config/checker.ts';

interface Inner {
  readonly name: string;
  readonly size?: number;
}

interface Outer {
  readonly inner: Inner;
  readonly list: readonly Inner[] | null;
}

type Place = { readonly file: string } | { readonly secret: string };
type Kind = { readonly type: 'a' } | { readonly type: 'b'; readonly size: number };

const inner = object<Inner>({ name: text, size: optional(number) });
const outer: Check<Outer> = object<Outer>({ inner, list: nullable(listOf(inner)) });

describe('a check of an object', () => {
  it('compiles with every field of the type, and finds what is wrong with each', () => {
    expect(outer({ inner: { name: 'a' }, list: null }, '')).toEqual([]);
    const paths = outer({ inner: {}, list: [{ name: 7, size: 'b', extra: true }] }, '').map(({ path }) => path);
    expect(paths).toEqual(['inner.name', 'list[0].name', 'list[0].size', 'list[0].extra']);
  });

  it('does not compile without a field, be it one that may be left out', () => {
    const checks: readonly Check<Inner>[] = [
      // @ts-expect-error: size has no check
      object<Inner>({ name: text }),
      // @ts-expect-error: name has no check
      object<Inner>({ size: optional(number) }),
      // @ts-expect-error: the fields of the type are not taken from the checks
      object({ name: text }),
    ];
    for (const check of checks) expect(check({ name: 'a', size: 1 }, '')).toHaveLength(1);
  });

  it('does not compile with a field that the type does not have, or by another type', () => {
    const checks: readonly Check<Inner>[] = [
      // @ts-expect-error: the type has no such field
      object<Inner>({ name: text, size: optional(number), more: text }),
      // @ts-expect-error: the name is a text
      object<Inner>({ name: number, size: optional(number) }),
      // @ts-expect-error: the name has to be there
      object<Inner>({ name: optional(text), size: optional(number) }),
      // @ts-expect-error: the size may be left out
      object<Inner>({ name: text, size: number }),
    ];
    expect(checks.map((check) => check({ name: 'a' }, '').length)).toEqual([1, 1, 0, 1]);
  });

  it('does not compile where a nested object lacks a field', () => {
    const name = object<Pick<Inner, 'name'>>({ name: text });
    const checks: readonly Check<Outer>[] = [
      // @ts-expect-error: the nested size has no check
      object<Outer>({ inner: name, list: nullable(listOf(inner)) }),
      // @ts-expect-error: the size of a list's items has no check
      object<Outer>({ inner, list: nullable(listOf(name)) }),
      // @ts-expect-error: nobody may decline the inner object
      object<Outer>({ inner: nullable(inner), list: nullable(listOf(inner)) }),
    ];
    expect(checks).toHaveLength(3);
  });

  it('does not compile where one of several forms is missing, or its fields are', () => {
    const file = object<Extract<Place, { readonly file: string }>>({ file: text });
    const a = object<Extract<Kind, { readonly type: 'a' }>>({ type: () => [] });
    // @ts-expect-error: the secret has no check
    const place: Check<Place> = formOf({ file }, '{ file }');
    // @ts-expect-error: the form b has no check
    const kind: Check<Kind> = formOfType<Kind>({ a }, 'a');
    expect([place({ file: 'a' }, ''), kind({ type: 'a' }, '')]).toEqual([[], []]);
  });

  it('looks into a field under a misspelled name, and does not miss it besides', () => {
    const places = outer({ iner: { nme: 'a', size: 'b' }, list: null }, '').map(({ path }) => path);
    expect(places).toEqual(['iner.size', 'iner.nme', 'iner']);
  });
});
