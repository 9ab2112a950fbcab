/** `codec-server keys-in-use`: which keys a namespace and its exports still need, until when, and the proof. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Checkpoint, CheckpointError } from './cluster/checkpoint.ts';
import { CONNECTION_FLAGS, CONNECTION_USAGE, ConnectionError, connectionOf } from './cluster/connection.ts';
import { createGrpcClient, failed, GrpcError } from './cluster/grpc-client.ts';
import { Inventory, type InventoryReport } from './cluster/inventory.ts';
import { addPayload, isSameKey, type KeyReport, KeyUsage, noNeeds, unclear } from './cluster/key-usage.ts';
import { TemporalApi } from './cluster/temporal-api.ts';
import type { CommandIo } from './command.ts';
import { openSources, SourceError } from './histories/sources.ts';
import { printable } from './inspect/describe-payload.ts';
import { examine } from './inspect/examine.ts';

export const KEYS_IN_USE_USAGE = `Usage: codec-server keys-in-use [options]

Reads everything in a namespace in which payloads are (workflows open and closed, those of the system,
pending activities, schedules, standalone activities and Nexus operations, worker deployments), and
exports, and says which keys are needed, by what, and until when. Needs no key, and changes nothing.
"Not needed" is said only when it is proven.

${CONNECTION_USAGE}
  --export PATH           a file, a folder or s3://bucket/prefix with histories that are kept; repeatable
  --only-exports          do not look at a server
  --key NAME              the key in question, as inspect names it: codec-server/2025-01-01-a1b2c3, an ARN
  --rate N                calls a second at most (default: 100)
  --state FILE            keep what was found in closed workflows, and go on from there the next time
  --json                  as JSON
  --help

Exit code: with --key 0 not needed, and proven; 3 needed; 4 not proven. Without it 0 everything was
read, 4 not everything. 1 it failed, 2 wrong usage.
`;

/** What may keep payloads and is never looked at here. */
const NOT_COVERED = [
  'what began after this was read, and what workers write from now on',
  'other namespaces, and exports and archives that were not named',
];

/** Wrong usage. The message is one sentence. */
class UsageError extends Error {}

interface Result {
  readonly usage: KeyUsage;
  readonly inventory: InventoryReport | undefined;
  readonly namespace: string | undefined;
  readonly missing: readonly string[];
  readonly calls: number;
}

type Verdict = 'not needed' | 'needed' | 'not proven';

/** Says which keys are in use. */
export async function keysInUse(argv: readonly string[], io: CommandIo): Promise<number> {
  try {
    const options = parse(argv);
    if (options.help) {
      io.stdout.write(KEYS_IN_USE_USAGE);
      return 0;
    }
    const result = await examineAll(options, io);
    const verdict = options.key === undefined ? undefined : verdictOn(options.key, result);
    io.stdout.write(options.json ? renderJson(result, verdict) : renderText(result, options.key, verdict));
    if (verdict === 'needed') return 3;
    return verdict === 'not proven' || (verdict === undefined && result.missing.length > 0) ? 4 : 0;
  } catch (error) {
    const known =
      error instanceof UsageError ||
      error instanceof ConnectionError ||
      error instanceof CheckpointError ||
      error instanceof SourceError;
    if (known || error instanceof GrpcError) {
      io.stderr.write(`codec-server keys-in-use: ${error instanceof GrpcError ? failed(error) : error.message}\n`);
      return error instanceof UsageError || error instanceof ConnectionError ? 2 : 1;
    }
    throw error;
  }
}

function parse(argv: readonly string[]) {
  let values: ReturnType<typeof parseFlags>['values'];
  try {
    ({ values } = parseFlags(argv));
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split('. ')[0]}. See --help.`);
  }
  const rate = Number(values.rate);
  if (!(Number.isInteger(rate) && rate >= 1 && rate <= 10_000))
    throw new UsageError('--rate takes a whole number of calls a second, from 1.');
  const exports = values.export ?? [];
  if (values['only-exports'] && exports.length === 0) throw new UsageError('--only-exports needs --export.');
  return { ...values, rate, exports };
}

function parseFlags(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    options: {
      ...CONNECTION_FLAGS,
      export: { type: 'string', multiple: true },
      'only-exports': { type: 'boolean', default: false },
      key: { type: 'string' },
      rate: { type: 'string', default: '100' },
      state: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
}

async function examineAll(options: ReturnType<typeof parse>, io: CommandIo): Promise<Result> {
  const usage = new KeyUsage();
  const progress = new Progress(io);
  try {
    let inventory: InventoryReport | undefined;
    let namespace: string | undefined;
    let calls = 0;
    if (!options['only-exports']) {
      const connection = connectionOf(options, io.env, io.cwd);
      ({ namespace } = connection);
      const state = options.state === undefined ? undefined : resolve(io.cwd, options.state);
      const checkpoint = new Checkpoint(state, namespace, connection.address);
      const client = createGrpcClient(connection);
      try {
        const api = new TemporalApi(client, options.rate);
        const onCount = (kind: string, done: number, of: number) => progress.at(`${kind}: ${done} of ${of}`);
        inventory = await new Inventory(api, namespace, usage, { checkpoint, onCount }).read();
        ({ calls } = api);
      } finally {
        checkpoint.flush();
        client.close();
      }
    }
    await examineExports(options.exports, usage, io, progress);
    return { usage, inventory, namespace, calls, missing: [...(inventory?.missing ?? []), ...usage.unclear] };
  } finally {
    progress.clear();
  }
}

async function examineExports(
  files: readonly string[],
  usage: KeyUsage,
  io: CommandIo,
  progress: Progress,
): Promise<void> {
  if (files.length === 0) return;
  for await (const source of openSources(files, io)) {
    const needs = noNeeds();
    const { payloads, places } = await examine(source, (_document, _place, description) =>
      addPayload(needs, description, 0),
    );
    needs.payloads += payloads;
    if (places.length > 0) unclear(needs, 'with the mark of a payload in a form that is not known here', places.length);
    if (payloads === 0) unclear(needs, `found in ${printable(source.name)}: it has none`, 0);
    usage.add({ kind: 'export', until: undefined, name: source.name }, needs);
    progress.at(`reading exports: ${source.name}`);
  }
}

function verdictOn(key: string, { usage, missing }: Result): Verdict {
  const found = usage.reports().filter((it) => isSameKey(it.key, key));
  if (found.some(({ only }) => only > 0)) return 'needed';
  // An alias may be any KMS key.
  const isKms = /^arn:[^:]+:kms:/.test(key);
  const aliases = isKms ? usage.reports().filter((it) => it.only > 0 && it.key.includes('alias/')) : [];
  return missing.length > 0 || aliases.length > 0 ? 'not proven' : 'not needed';
}

function renderJson({ usage, inventory, namespace, missing, calls }: Result, verdict: Verdict | undefined): string {
  const report = {
    namespace,
    asOf: inventory?.asOf.toISOString(),
    retentionDays: inventory?.retentionDays,
    verdict,
    read: usage.places,
    payloads: usage.payloads,
    keys: usage.reports(),
    missing,
    notCovered: NOT_COVERED,
    calls,
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

function renderText(
  { usage, inventory, namespace, missing }: Result,
  key: string | undefined,
  verdict: Verdict | undefined,
): string {
  const read = Object.entries(usage.places).map(([kind, count]) => `${count} ${plural(kind, count)}`);
  const lines: string[] = [];
  if (inventory !== undefined)
    lines.push(
      `Namespace ${namespace} as of ${inventory.asOf.toISOString()}, which keeps closed workflows for ${days(inventory.retentionDays)}.`,
    );
  lines.push(`Read ${read.length === 0 ? 'nothing' : read.join(', ')}: ${usage.payloads} payloads.`, '');
  const reports = usage.reports();
  if (reports.length === 0) lines.push('No key is needed by any of it.');
  for (const report of reports) lines.push(...renderKey(report));
  lines.push('');
  if (missing.length > 0) lines.push('Missing from a proof:', ...missing.map((it) => `  ${printable(it)}`), '');
  lines.push('Not covered:', ...NOT_COVERED.map((it) => `  ${it}`));
  if (key !== undefined && verdict !== undefined) lines.push('', sentenceOn(key, verdict));
  return `${lines.join('\n')}\n`;
}

function renderKey({ key, payloads, only, places, examples, newestWrite, neededUntil }: KeyReport): string[] {
  const where = Object.entries(places).map(([kind, count]) => `${count} ${plural(kind, count)}`);
  const until =
    neededUntil === undefined
      ? 'other keys open them, too'
      : neededUntil === 'open'
        ? 'needed as long as these are there'
        : `needed until ${neededUntil}`;
  return [
    printable(key),
    `  ${payloads} payloads${only < payloads ? `, ${only} of them under no other key` : ''}: ${until}`,
    ...(where.length === 0
      ? []
      : [
          `  in ${where.join(', ')}: ${printable(examples.join(', '))}${where.length > 0 && examples.length >= 5 ? ', …' : ''}`,
        ]),
    ...(newestWrite === undefined ? [] : [`  newest write ${newestWrite}`]),
  ];
}

function sentenceOn(key: string, verdict: Verdict): string {
  switch (verdict) {
    case 'needed':
      return `${printable(key)} is needed.`;
    case 'not proven':
      return `Not proven: ${printable(key)} was not found, and not everything could be read.`;
    case 'not needed':
      return `${printable(key)} is not needed: everything was read, and nothing in it is under this key alone.`;
  }
}

function plural(kind: string, count: number): string {
  if (count === 1) return kind;
  return kind.endsWith('y') ? `${kind.slice(0, -1)}ies` : `${kind}s`;
}

function days(count: number): string {
  return count === 1 ? '1 day' : `${Math.round(count * 100) / 100} days`;
}

/** A line that tells a person who waits how far it is. */
class Progress {
  readonly #io: CommandIo;
  #next = 0;
  #shown = false;

  constructor(io: CommandIo) {
    this.#io = io;
  }

  at(text: string): void {
    if (this.#io.stderr.isTTY !== true || Date.now() < this.#next) return;
    this.#next = Date.now() + 200;
    this.#shown = true;
    this.#io.stderr.write(`\r\u001b[K${printable(text)}`);
  }

  clear(): void {
    if (this.#shown) this.#io.stderr.write('\r\u001b[K');
  }
}
