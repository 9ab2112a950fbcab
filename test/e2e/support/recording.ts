/**
 * What a client sent, in the order and at the times at which it did, without a byte of its payloads: enough for
 * `npm run soak` to send the same again with payloads of its own.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { artifactRoot } from './paths.ts';
import type { Exchange } from './recorder.ts';
import { headersShown, urlShown } from './request-shape.ts';

/** A payload by its `encoding` and the bytes of its data. */
type PayloadShape = [encoding: string, bytes: number];

/** Milliseconds without a request after which what follows is another page or another command. */
const PAUSE_MS = 400;
const directory = join(artifactRoot, 'recordings');

/** Keeps a client's requests as a recording among the artifacts. */
export function keepRecording(client: string, namespace: string, exchanges: readonly Exchange[]): void {
  const shapes: string[] = [];
  const sessions: [at: number, shape: number, payloads: PayloadShape[]][][] = [];
  let began = 0;
  let last = Number.NEGATIVE_INFINITY;
  for (const { at, method, url, headers, body } of exchanges) {
    const shape = JSON.stringify({ method, url: urlShown(url, namespace), headers: headersShown(headers, namespace) });
    if (!shapes.includes(shape)) shapes.push(shape);
    if (at - last > PAUSE_MS) {
      sessions.push([]);
      began = at;
    }
    last = at;
    sessions
      .at(-1)
      ?.push([Math.round(at - began), shapes.indexOf(shape), method === 'POST' ? payloadShapes(body) : []]);
  }
  mkdirSync(directory, { recursive: true });
  const lines = (list: readonly string[]): string => list.map((line) => `    ${line}`).join(',\n');
  const text = `{
  "client": ${JSON.stringify(client)},
  "shapes": [\n${lines(shapes)}\n  ],
  "sessions": [\n${lines(sessions.map((session) => JSON.stringify(session)))}\n  ]
}\n`;
  writeFileSync(join(directory, `${client.replaceAll(/[^\w.-]+/g, '-')}.json`), text);
}

function payloadShapes(body: string): PayloadShape[] {
  const { payloads } = JSON.parse(body) as {
    payloads?: ({ metadata?: { encoding?: string }; data?: string } | null)[];
  };
  return (payloads ?? []).map((payload) => [
    Buffer.from(payload?.metadata?.encoding ?? '', 'base64').toString(),
    Buffer.from(payload?.data ?? '', 'base64').length,
  ]);
}
