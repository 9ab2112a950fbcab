/** The table of docs/protocol.md, and the comparison of what a client sent with what stands there. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './paths.ts';
import type { Exchange } from './recorder.ts';
import { headerShownAs } from './request-shape.ts';

/** Headers by which a request travels, and those that say what a browser is; every client has its own. */
const TRANSPORT = /^(host|connection|content-length|accept(-.*)?|user-agent|referer|cache-control|pragma|sec-.*)$/;

/** What requests were seen to be. */
interface Seen {
  readonly operations: readonly string[];
  readonly fields: readonly string[];
}

/** A line of the table. */
interface Documented {
  readonly method: string;
  /** Last segments of the path, such as `/decode`. */
  readonly operations: readonly string[];
  readonly query: string;
  /** Headers as `name: value`, or `name` where the value may be any. */
  readonly always: readonly string[];
  readonly sometimes: readonly string[];
  readonly fields: readonly string[];
  /** The fewest payloads in a request. */
  readonly least: number;
}

/**
 * Fails where a request is not as the client's line says.
 *
 * @param client the first cell of the line
 * @returns the operations that were asked for, and the fields that payloads had, both sorted
 */
export function assertAsDocumented(client: string, namespace: string, exchanges: readonly Exchange[]): Seen {
  const documented = documentedOf(client);
  const operations = new Set<string>();
  const fields = new Set<string>();
  for (const { method, url, headers, body } of exchanges) {
    const [path = '', query = ''] = url.split('?');
    const operation = documented.operations.find((it) => path.endsWith(it));
    assert.equal(method, documented.method);
    assert.equal(query, documented.query, url);
    assert.ok(operation !== undefined, `${url} is not documented of ${client}`);
    operations.add(operation);
    for (const name of documented.always.map(nameOf)) assert.ok(headers[name] !== undefined, `${url} has no ${name}`);
    for (const [name, value] of Object.entries(headers)) {
      if (TRANSPORT.test(name)) continue;
      const shown = `${name}: ${headerShownAs(name, String(value), namespace)}`;
      const known = [...documented.always, ...documented.sometimes];
      assert.ok(
        known.includes(shown) || known.includes(name),
        `${url} has ${shown}, which is not documented of ${client}`,
      );
    }
    if (method !== 'POST') continue;
    const { payloads = [], ...more } = JSON.parse(body) as { payloads?: Record<string, unknown>[] };
    assert.deepEqual(Object.keys(more), []);
    assert.ok(payloads.length >= documented.least, `${payloads.length} payloads`);
    for (const field of payloads.flatMap(Object.keys)) {
      assert.ok(documented.fields.includes(field), `the field ${field} is not documented of ${client}`);
      fields.add(field);
    }
  }
  return { operations: [...operations].sort(), fields: [...fields].sort() };
}

function documentedOf(client: string): Documented {
  const page = readFileSync(join(projectRoot, 'docs/protocol.md'), 'utf8');
  const rows = page.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  const row = rows.find((cells) => cells[1]?.replaceAll('`', '') === client);
  assert.ok(row !== undefined, `docs/protocol.md has no line for ${client}`);
  const [, , method = '', operations = '', query = '', always = '', sometimes = '', fields = '', payloads = ''] = row;
  return {
    method: codesOf(method)[0] ?? '',
    operations: codesOf(operations),
    query: codesOf(query)[0] ?? '',
    always: codesOf(always),
    sometimes: codesOf(sometimes),
    fields: codesOf(fields),
    least: Number.parseInt(payloads, 10),
  };
}

/** The texts between backticks. */
function codesOf(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}

function nameOf(header: string): string {
  return header.split(':')[0] ?? '';
}
