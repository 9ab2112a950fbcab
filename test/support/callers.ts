/** Callers for tests of what stands behind authentication. */
import type { Caller } from '../../lambda/server/auth/caller.ts';

/** A person with a verified token. */
export function person(
  email: string | undefined,
  claims: Record<string, unknown> = {},
  issuer = 'https://idp/',
): Caller {
  return { method: 'token', subject: `sub|${email}`, issuer, email, claims };
}

/** The holder of a service token. */
export function serviceToken(name: string): Caller {
  return { method: 'service-token', subject: name, issuer: undefined, email: undefined, claims: {} };
}

/** Whoever reaches a server on a loopback address. */
export const LOOPBACK_CALLER: Caller = {
  method: 'loopback',
  subject: 'loopback',
  issuer: undefined,
  email: undefined,
  claims: {},
};
