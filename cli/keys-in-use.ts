/** `codec-server keys-in-use`: which keys a namespace and its exports still need, until when, and the proof. */

import { resolve } from 'node:path';
import { parseArn } from '../codec/keys/arn.ts';
import { escaped, printableJson } from '../config/printable.ts';
import { Checkpoint, CheckpointError } from './cluster/checkpoint.ts';
import { connectionOf } from './cluster/connection.ts';
import { createGrpcClient } from './cluster/grpc-client.ts';
import { Inventory, type InventoryReport } from './cluster/inventory.ts';
import {
  addPayload,
  isSameKeyName,
  KeyNeeds,
  type KeyReport,
  noNeeds,
  unclear,
  whyNoKey,
} from './cluster/key-usage.ts';
import { faultOf, TemporalApi } from './cluster/temporal-api.ts';
import type { CommandIo } from './command.ts';
import { openSources, SourceError } from './histories/sources.ts';
import { examine } from './inspect/examine.ts';
import { Progress } from './progress.ts';
import { createCommand, type Given, UsageError, wholeNumber } from './run-command.ts';

/** What may keep payloads and is never looked at here. */
const NOT_COVERED = [
  'what began after this was read, or just before and the server does not list it yet, and what workers write from now on',
  'other namespaces, and exports and archives that were not named',
];

interface Result {
  readonly usage: KeyNeeds;
  readonly inventory: InventoryReport | undefined;
  readonly namespace: string | undefined;
  readonly missing: readonly string[];
  readonly calls: number;
}

/** What is said of a key that stands nowhere: it may be misspelled. */
const NOWHERE = ' No payload names it: is it spelled as inspect spells it?';

type Verdict = 'not needed' | 'needed' | 'not proven';

/** Says which keys are in use. */
export const keysInUse = createCommand('keys-in-use', async (given, io) => {
  try {
    const options = optionsOf(given);
    const result = await examineAll(options, io);
    const verdict = options.key === undefined ? undefined : verdictOn(options.key, result);
    io.stdout.write(options.json ? renderJson(result, verdict) : renderText(result, options.key, verdict));
    if (verdict === 'needed') return 3;
    return verdict === 'not proven' || (verdict === undefined && result.missing.length > 0) ? 4 : 0;
  } catch (error) {
    const isOurs = error instanceof CheckpointError || error instanceof SourceError;
    const sentence = isOurs ? error.message : faultOf(error);
    if (sentence === undefined) throw error;
    io.stderr.write(`codec-server keys-in-use: ${sentence}\n`);
    return 1;
  }
});

function optionsOf({ values }: Given<'keys-in-use'>) {
  const rate = wholeNumber('rate', values.rate, 1, 10_000);
  const exports = values.export ?? [];
  const problem = values.key === undefined ? undefined : whyNoKey(values.key);
  if (problem !== undefined) throw new UsageError(`--key ${problem}.`);
  if (values['only-exports'] && exports.length === 0) throw new UsageError('--only-exports needs --export.');
  return { ...values, rate, exports };
}

async function examineAll(options: ReturnType<typeof optionsOf>, io: CommandIo): Promise<Result> {
  const usage = new KeyNeeds();
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
        const onCount = (kind: string, done: number, of: number) => progress.at(() => `${kind}: ${done} of ${of}`);
        inventory = await new Inventory(api, namespace, usage, { checkpoint, onCount }).read();
        ({ calls } = api);
      } finally {
        client.close();
        checkpoint.flush();
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
  usage: KeyNeeds,
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
    if (payloads === 0) unclear(needs, `found in ${escaped(source.name)}: it has none`, 0);
    usage.add({ kind: 'export', until: undefined, name: source.name }, needs);
    progress.at(() => `reading exports: ${source.name}`);
  }
}

function verdictOn(key: string, { usage, missing }: Result): Verdict {
  const found = usage.reports().filter((it) => isSameKeyName(it.key, key));
  if (found.some(({ only }) => only > 0)) return 'needed';
  // An alias may be any KMS key.
  const isKms = parseArn(key)?.service === 'kms';
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
    fromState: inventory?.fromState,
    payloads: usage.payloads,
    keys: usage.reports(),
    missing,
    notCovered: NOT_COVERED,
    calls,
  };
  return `${printableJson(report)}\n`;
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
  lines.push(`Read ${read.length === 0 ? 'nothing' : read.join(', ')}: ${usage.payloads} payloads.`);
  const fromState = inventory?.fromState ?? 0;
  if (fromState > 0)
    lines.push(`Of ${fromState} of the closed workflows it is as the state file says; they were not read again.`);
  lines.push('');
  const reports = usage.reports();
  if (reports.length === 0) lines.push('No key is needed by any of it.');
  for (const report of reports) lines.push(...renderKey(report));
  lines.push('');
  if (missing.length > 0) lines.push('Missing from a proof:', ...missing.map((it) => `  ${escaped(it)}`), '');
  lines.push('Not covered:', ...NOT_COVERED.map((it) => `  ${it}`));
  if (key !== undefined && verdict !== undefined) {
    const isNowhere = verdict === 'not needed' && !reports.some((it) => isSameKeyName(it.key, key));
    lines.push('', `${sentenceOn(key, verdict)}${isNowhere ? NOWHERE : ''}`);
  }
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
    escaped(key),
    `  ${payloads} payloads${only < payloads ? `, ${only} of them under no other key` : ''}: ${until}`,
    ...(where.length === 0
      ? []
      : [
          `  in ${where.join(', ')}: ${escaped(examples.join(', '))}${where.length > 0 && examples.length >= 5 ? ', …' : ''}`,
        ]),
    ...(newestWrite === undefined ? [] : [`  newest write ${newestWrite}`]),
  ];
}

function sentenceOn(key: string, verdict: Verdict): string {
  switch (verdict) {
    case 'needed':
      return `${escaped(key)} is needed.`;
    case 'not proven':
      return `Not proven: ${escaped(key)} was not found, and not everything could be read.`;
    case 'not needed':
      return `${escaped(key)} is not needed: everything was read, and nothing in it is under this key alone.`;
  }
}

function plural(kind: string, count: number): string {
  if (count === 1) return kind;
  return kind.endsWith('y') ? `${kind.slice(0, -1)}ies` : `${kind}s`;
}

function days(count: number): string {
  return count === 1 ? '1 day' : `${Math.round(count * 100) / 100} days`;
}
