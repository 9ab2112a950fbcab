/** Sends again what real clients once sent, with payloads, tokens and origins of the soak. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Judge } from './judge.ts';
import type { RecordedRequest, Session } from './recordings.ts';
import { bodyOf, plainPayload, type Samples } from './samples.ts';

/** Puts the soak's own values where a recording has placeholders. */
export interface Stage {
  readonly namespace: string;
  readonly origin: string;
  readonly token: string;
}

/** Milliseconds that a command line takes between an answer and its next request, at least. */
const THINKING_MS = 5;
/** Encodings that the server opens, wherever they were recorded. */
const SEALED = 'binary/aws-encryption-sdk';

/** The sizes, encrypted, of everything that the sessions have decoded. */
export function sizesIn(sessions: readonly Session[]): number[] {
  const payloads = sessions.flatMap(({ requests }) => requests.flatMap((request) => request.payloads));
  return payloads.filter(([encoding]) => encoding === SEALED).map(([, bytes]) => bytes);
}

/** Whether a session came from a browser, which sends at once; everything else waits for its answers. */
export const isFromBrowser = ({ requests }: Session): boolean =>
  requests.some(({ shape }) => shape.headers['origin'] !== undefined);

/** Sends a session: a browser's at the times at which it was recorded, another's one request after the other. */
export async function replay(session: Session, stage: Stage, judge: Judge, samples: Samples): Promise<void> {
  const kind = session.client.includes('CLI') ? 'CLI' : isFromBrowser(session) ? 'Web UI' : 'SDK';
  if (!isFromBrowser(session)) {
    for (const request of session.requests) {
      await send(kind, request, stage, judge, samples);
      await sleep(THINKING_MS);
    }
    return;
  }
  const started = performance.now();
  const underWay: Promise<void>[] = [];
  for (const request of session.requests) {
    await sleep(Math.max(0, request.at - (performance.now() - started)));
    underWay.push(send(kind, request, stage, judge, samples));
  }
  await Promise.all(underWay);
}

async function send(
  kind: string,
  { shape, payloads }: RecordedRequest,
  stage: Stage,
  judge: Judge,
  samples: Samples,
): Promise<void> {
  const path = shape.url.replaceAll('<namespace>', stage.namespace);
  const headers = staged(shape.headers, stage);
  if (shape.method === 'OPTIONS') return await judge.preflight(path, headers);
  headers['authorization'] = `Bearer ${stage.token}`;
  if (/\/encode(\?|$)/.test(path)) {
    const plain = payloads.map(([, bytes]) => plainPayload(bytes));
    const encoded = await judge.expect(
      kind,
      path,
      headers,
      bodyOf(plain),
      (body) => !body.includes('anNvbi9wbGFpbg=='),
    );
    if (encoded === undefined) return;
    const decode = path.replace('/encode', '/decode');
    await judge.expect(kind, decode, headers, encoded.body, (body) => body === bodyOf(plain));
    return;
  }
  const pairs = payloads.map(([encoding, bytes]) => {
    if (encoding === SEALED) return samples.sealedAs(bytes);
    // what is not encrypted comes back as it was
    const plain = plainPayload(bytes);
    return { plain, sealed: plain };
  });
  const expected = bodyOf(pairs.map(({ plain }) => plain));
  await judge.expect(kind, path, headers, bodyOf(pairs.map(({ sealed }) => sealed)), (body) => body === expected);
}

function staged(
  recorded: Readonly<Record<string, string>>,
  { namespace, origin, token }: Stage,
): Record<string, string> {
  const headers = Object.entries(recorded).map(([name, value]) => {
    if (name === 'origin') return [name, origin];
    return [name, value.replace('<namespace>', namespace).replace('<JWT>', token)];
  });
  return Object.fromEntries(headers);
}
