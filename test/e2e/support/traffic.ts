/** What each client really sends: recorded while the checks run, kept in the artifacts, and put in a table. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { artifactRoot } from './paths.ts';
import type { Exchange } from './recorder.ts';
import { keepRecording } from './recording.ts';
import { headerBytes, headersShown, urlShown } from './request-shape.ts';

/** Requests that look alike. */
export interface TrafficShape {
  readonly client: string;
  readonly method: string;
  /** Path and query, the namespace replaced. */
  readonly url: string;
  /** Headers that matter to a codec server, values replaced where they are secret or differ. */
  readonly headers: Readonly<Record<string, string>>;
  requests: number;
  /** Payloads in a request, least and most. */
  payloads: [least: number, most: number];
  /** Bytes of all headers, most. */
  headerBytes: number;
}

const directory = join(artifactRoot, 'traffic');

/** Keeps the shapes of a client's requests among the artifacts. */
export function keepTraffic(client: string, namespace: string, exchanges: readonly Exchange[]): void {
  const shapes = new Map<string, TrafficShape>();
  keepRecording(client, namespace, exchanges);
  for (const { method, url, headers, body } of exchanges) {
    const named = headersShown(headers, namespace);
    const path = urlShown(url, namespace);
    const key = JSON.stringify([method, path, named]);
    const count = method === 'POST' ? ((JSON.parse(body) as { payloads?: unknown[] }).payloads ?? []).length : 0;
    const bytes = headerBytes(headers);
    const shape = shapes.get(key);
    if (shape === undefined) {
      const first = { client, method, url: path, headers: named, requests: 1, headerBytes: bytes };
      shapes.set(key, { ...first, payloads: [count, count] });
    } else {
      shape.requests++;
      shape.headerBytes = Math.max(shape.headerBytes, bytes);
      shape.payloads = [Math.min(shape.payloads[0], count), Math.max(shape.payloads[1], count)];
    }
  }
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `${client.replaceAll(/[^\w.-]+/g, '-')}.json`);
  writeFileSync(file, `${JSON.stringify([...shapes.values()], null, 2)}\n`);
}

/** Everything kept in this run. */
export function keptTraffic(): TrafficShape[] {
  if (!existsSync(directory)) return [];
  const files = readdirSync(directory).sort();
  return files.flatMap((file) => JSON.parse(readFileSync(join(directory, file), 'utf8')) as TrafficShape[]);
}
