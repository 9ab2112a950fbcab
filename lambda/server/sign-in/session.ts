/** A session as it stands in its cookie. */
import type { Caller } from '../auth/caller.ts';

/** Who signed in, and when. */
export interface Session {
  /** Random; one per sign-in, and the same for as long as it is prolonged. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** When its cookie was last given out: what the idle limit counts from. Milliseconds since 1970. */
  readonly seenAt: number;
  readonly caller: Caller;
}

/** Short names: a cookie is sent with every request. */
interface StoredSession {
  readonly v: 1;
  readonly id: string;
  readonly start: number;
  readonly seen: number;
  readonly iss: string;
  readonly sub: string;
  readonly email?: string;
  readonly claims?: Readonly<Record<string, unknown>>;
}

export function writeSession({ id, startedAt, seenAt, caller }: Session): string {
  const { issuer, subject, email, claims } = caller;
  const stored: StoredSession = {
    v: 1,
    id,
    start: startedAt,
    seen: seenAt,
    iss: issuer ?? '',
    sub: subject,
    ...(email === undefined ? {} : { email }),
    ...(Object.keys(claims).length === 0 ? {} : { claims }),
  };
  return JSON.stringify(stored);
}

/** Reads what {@link writeSession} wrote and was sealed; undefined when another version of the server wrote it. */
export function readSession(text: string): Session | undefined {
  const stored = JSON.parse(text) as Partial<StoredSession>;
  const { id, start, seen, iss, sub, email, claims = {} } = stored;
  const isKnown =
    stored.v === 1 &&
    typeof id === 'string' &&
    typeof start === 'number' &&
    typeof seen === 'number' &&
    typeof iss === 'string' &&
    typeof sub === 'string' &&
    (email === undefined || typeof email === 'string');
  if (!isKnown) return undefined;
  return {
    id,
    startedAt: start,
    seenAt: seen,
    caller: { method: 'session', subject: sub, issuer: iss, email, claims },
  };
}
