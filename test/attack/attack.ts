/** What an attack is, and the requests that attacks are made of. */
import type { AttackRequest } from './target.ts';
import type { AttackWorld } from './world.ts';

/** An attack. What it leaves out is as in an ordinary request for `/decode` of a ciphertext of `orders`. */
export interface Attack {
  readonly name: string;
  /** The documented status; several where the HTTP server or gateway in front may answer first, or cut the connection (0). */
  readonly status: number | readonly number[];
  readonly request: (world: AttackWorld) => Partial<AttackRequest>;
  /** The caller may read the namespace they name, so keys are looked for, and none is found. */
  readonly looksForKeys?: true;
  /** KMS is not asked: the configuration rules it out. */
  readonly asksNothingOfKms?: boolean;
}

export type Claims = Record<string, unknown>;
export type Headers = AttackRequest['headers'];

export const ORDINARY: Headers = [
  ['content-type', 'application/json'],
  ['x-namespace', 'orders'],
];

export const withHeaders = (...more: Headers): Pick<AttackRequest, 'headers'> => ({ headers: [...ORDINARY, ...more] });
export const bearer = (token: string): Pick<AttackRequest, 'headers'> =>
  withHeaders(['authorization', `Bearer ${token}`]);

/** A token in place of the valid one. */
export const token = (name: string, make: (world: AttackWorld) => string, status: Attack['status'] = 401): Attack => ({
  name,
  status,
  request: (world) => bearer(make(world)),
});

/** A token that the issuer signed, with other claims. */
export const claims = (name: string, change: (world: AttackWorld) => Claims, status: Attack['status'] = 401): Attack =>
  token(name, (world) => world.token(change(world)), status);
