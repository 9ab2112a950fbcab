/**
 * What real clients sent to a codec server while the end-to-end suite used them: requests in their order
 * and at their times, payloads by encoding and size. The suite writes them to its artifacts
 * (`recordings`), from where they were copied here.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** Requests that look alike. `<namespace>` and `<JWT>` stand for what differs. */
export interface RequestShape {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A recorded payload by its encoding and the bytes of its data. */
export type RecordedPayload = readonly [encoding: string, bytes: number];

export interface RecordedRequest {
  /** Milliseconds after the session's first request. */
  readonly at: number;
  readonly shape: RequestShape;
  readonly payloads: readonly RecordedPayload[];
}

/** What one page or one command asked for. */
export interface Session {
  readonly client: string;
  readonly requests: readonly RecordedRequest[];
}

interface RecordingFile {
  readonly client: string;
  readonly shapes: readonly RequestShape[];
  readonly sessions: readonly (readonly [at: number, shape: number, payloads: readonly RecordedPayload[]])[][];
}

const folder = new URL('recordings/', import.meta.url);

/** Every recorded session. */
export function recordedSessions(): readonly Session[] {
  return readdirSync(folder).flatMap((name) => {
    const { client, shapes, sessions } = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as RecordingFile;
    return sessions.map((session) => ({
      client,
      requests: session.map(([at, shape, payloads]) => ({ at, shape: shapes[shape] as RequestShape, payloads })),
    }));
  });
}
