/**
 * What checks of a configuration's form are made of. A check is typed by what it checks, to the last field: an object whose
 * type has a field that nobody checks does not compile, nor does a check of another type, or of a field that is not there.
 */
import { nearest, type Problem } from './problem.ts';

/** The problems of a value at a place. */
type AnyCheck = (value: unknown, path: string) => Problem[];

/** A check of values that ought to be a `T`, and of no other type. */
export interface Check<T> extends AnyCheck {
  /** Exists for the compiler alone: taking and giving a `T` makes `Check<A>` differ from `Check<B>` where A and B differ. */
  readonly of?: (value: [T, Named<T>]) => [T, Named<T>];
}

/** `T` with every field there, since a type without an optional field is assignable to the one with it, and back. */
type Named<T> = T extends string | ((...given: never) => unknown)
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Named<Item>[]
    : { readonly [Name in keyof T]-?: Named<T[Name]> };

/** A field that may be left out. */
interface Optional<T> {
  readonly optional: Check<T>;
}

/** A check for every field of `T`, an optional one only where `T` says so. */
type Fields<T> = {
  readonly [Name in keyof T]-?: Record<never, never> extends Pick<T, Name>
    ? Optional<Exclude<T[Name], undefined>>
    : Check<T[Name]>;
};

/** What a check is of. */
type Checked<C> = C extends Check<infer T> ? T : never;

export const text: Check<string> = (value, path) =>
  expected(typeof value === 'string' && value !== '', 'a text', value, path);
export const flag: Check<boolean> = (value, path) => expected(typeof value === 'boolean', 'true or false', value, path);
export const number: Check<number> = (value, path) => expected(typeof value === 'number', 'a number', value, path);
export const isTrue: Check<true> = (value, path) =>
  expected(value === true, 'true, or nothing of it at all', value, path);

export function oneOf<const Value extends string>(...values: readonly Value[]): Check<Value> {
  const names = values.map((value) => `'${value}'`).join(', ');
  return (value, path) => {
    if (values.includes(value as Value)) return [];
    const meant = typeof value === 'string' ? nearest(value, values) : undefined;
    const what = values.length > 1 ? `one of ${names}` : names;
    return expected(false, meant === undefined ? what : `'${meant}' (${what})`, value, path);
  };
}

export function nullable<T>(check: Check<T>): Check<T | null> {
  return (value, path) => (value === null ? [] : check(value, path));
}

export function listOf<T>(check: Check<T>): Check<readonly T[]> {
  return (value, path) =>
    Array.isArray(value)
      ? value.flatMap((item, index) => check(item, `${path}[${index}]`))
      : [{ path, message: `is ${kindOf(value)}: write a list, [].` }];
}

export function optional<T>(check: Check<T>): Optional<T> {
  return { optional: check };
}

/** Texts under names of one's own. */
export const textMap: Check<Readonly<Record<string, string>>> = (value, path) =>
  isObject(value)
    ? Object.entries(value).flatMap(([name, given]) => text(given, `${path}.${name}`))
    : [notAnObject(value, path)];

/**
 * An object with these fields and no others. `T` is never taken from `fields`, or a field that is missing from them would
 * be missing from `T` as well.
 */
export function object<T extends object>(fields: NoInfer<Fields<T>>): Check<T> {
  const checks = Object.entries(fields as Readonly<Record<string, AnyCheck | { readonly optional: AnyCheck }>>);
  return (value, path) => {
    if (!isObject(value)) return [notAnObject(value, path)];
    const at = (name: string) => (path === '' ? name : `${path}.${name}`);
    const names = Object.keys(fields);
    const unknown = Object.keys(value).filter((name) => !names.includes(name));
    // One cause, one problem: a field under a misspelled name is not missing as well, and what is in it is looked at.
    const misspelled = new Map(unknown.map((name) => [nearest(name, names), name]));
    const known = checks.flatMap(([name, field]): Problem[] => {
      const spelled = value[name] === undefined ? (misspelled.get(name) ?? name) : name;
      const given = value[spelled];
      if (given !== undefined) return (typeof field === 'function' ? field : field.optional)(given, at(spelled));
      return typeof field === 'function' ? [{ path: at(name), message: forgotten(field) }] : [];
    });
    return [...known, ...unknown.map((name) => ({ path: at(name), message: noSuchField(name, names) }))];
  };
}

/** One of several forms of an object, told apart by a field that only one of them has. */
export function formOf<const Forms extends Readonly<Record<string, AnyCheck>>>(
  forms: Forms,
  otherwise: string,
): Check<Checked<Forms[keyof Forms]>> {
  return (value, path) => {
    const name = Object.keys(forms).find((field) => isObject(value) && Object.hasOwn(value, field));
    const check = name === undefined ? undefined : forms[name];
    return check === undefined ? [{ path, message: `is ${kindOf(value)}: write ${otherwise}.` }] : check(value, path);
  };
}

/** One of several forms of an object, told apart by their `type`; a value with none of these is checked as `otherwise`. */
export function formOfType<T extends { readonly type: string }>(
  forms: { readonly [Type in T['type']]: Check<Extract<T, { readonly type: Type }>> },
  otherwise: NoInfer<T['type']>,
): Check<T> {
  return (value, path) => {
    const type = isObject(value) && Object.hasOwn(forms, String(value['type'])) ? value['type'] : otherwise;
    return forms[type as T['type']](value, path);
  };
}

/** A word, or what `check` is of. */
export function wordOr<const Word extends string, T>(word: Word, check: Check<T>): Check<Word | T> {
  return (value, path) => (value === word ? [] : check(value, path));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function notAnObject(value: unknown, path: string): Problem {
  return { path: path || 'the configuration', message: `is ${kindOf(value)}: write an object, {}.` };
}

function noSuchField(name: string, fields: readonly string[]): string {
  const meant = nearest(name, fields);
  const fix = meant === undefined ? 'remove it, or correct its name' : `did you mean ${meant}? All fields here`;
  return `there is no such field: ${fix} (${fields.join(', ')}).`;
}

function forgotten(check: AnyCheck): string {
  const declinable = check(null, '').length === 0;
  return `is missing: ${declinable ? 'set it, or write null to decline it.' : 'set it.'}`;
}

function expected(fulfilled: boolean, what: string, value: unknown, path: string): Problem[] {
  return fulfilled ? [] : [{ path, message: `is ${kindOf(value)}: write ${what}.` }];
}

/** What a value is, without printing it: it may be a secret in the wrong place. */
function kindOf(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (value === '') return 'empty';
  return typeof value === 'object' ? 'an object of another form' : `a ${typeof value}`;
}
