/**
 * The fields that have a value. Spread over defaults, a field that is there and undefined would hide
 * its default, and a bound that is undefined bounds nothing.
 */
export function definedOnly<T extends object>(fields: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]?: Exclude<T[Name], undefined>;
  };
}
