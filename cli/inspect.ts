/** `codec-server inspect`: says of payloads how they are encrypted and under which keys, without any key. */

import { escaped, printableJson } from '../config/printable.ts';
import type { CommandIo } from './command.ts';
import { openSources, SourceError } from './histories/sources.ts';
import type { PayloadDescription, PayloadKind } from './inspect/describe-payload.ts';
import { type Examined, examine } from './inspect/examine.ts';
import { createCommand } from './run-command.ts';

/** How often a key is needed. */
export interface KeyCount {
  readonly key: string;
  /** Payloads that this key opens, alone or beside others. */
  readonly payloads: number;
  /** Of these, payloads that no other key opens: what is lost without it. */
  readonly onlyThisKey: number;
  readonly formats: readonly string[];
  readonly namespaces: readonly string[];
}

/** Which keys a history still needs. */
export interface Summary {
  readonly payloads: number;
  readonly kinds: Readonly<Record<PayloadKind, number>>;
  /** Encodings that nobody here knows. */
  readonly unknownEncodings: readonly string[];
  /** Most needed first. */
  readonly keys: readonly KeyCount[];
}

/** Counts payloads as they come, so that there may be any number of them. */
class Tally {
  readonly #kinds = { encrypted: 0, compressed: 0, plain: 0, reference: 0, unknown: 0, unreadable: 0 };
  readonly #unknown = new Map<string, number>();
  readonly #keys = new Map<string, { payloads: number; only: number; formats: Set<string>; namespaces: Set<string> }>();

  add({ kind, keys, layers, namespace }: PayloadDescription): void {
    this.#kinds[kind]++;
    if (kind === 'unknown') {
      const encoding = layers.at(-1) ?? '';
      this.#unknown.set(encoding, (this.#unknown.get(encoding) ?? 0) + 1);
    }
    const distinct = new Set(keys);
    for (const key of distinct) {
      const count = this.#keys.get(key) ?? { payloads: 0, only: 0, formats: new Set(), namespaces: new Set() };
      count.payloads++;
      if (distinct.size === 1) count.only++;
      count.formats.add(layers.at(-2) ?? '');
      if (namespace !== undefined) count.namespaces.add(namespace);
      this.#keys.set(key, count);
    }
  }

  /** The counts so far. */
  summary(): Summary {
    const keys = [...this.#keys].map(([key, { payloads, only, formats, namespaces }]) => ({
      key,
      payloads,
      onlyThisKey: only,
      formats: [...formats].sort(),
      namespaces: [...namespaces].sort(),
    }));
    keys.sort((a, b) => b.payloads - a.payloads || (a.key < b.key ? -1 : 1));
    const payloads = Object.values(this.#kinds).reduce((sum, count) => sum + count, 0);
    const unknownEncodings = [...this.#unknown.keys()].sort();
    return { payloads, kinds: { ...this.#kinds }, unknownEncodings, keys };
  }
}

interface Line {
  readonly place: string;
  readonly description: PayloadDescription;
}

/** Everything that was inspected, put together. */
interface Result {
  readonly lines: readonly Line[];
  readonly summary: Summary;
  /** Files without a payload. */
  readonly empty: readonly string[];
  /** What was not understood, and where. */
  readonly notUnderstood: readonly string[];
}

/** Inspects payloads. */
export const inspect = createCommand('inspect', async ({ values, operands }, io) => {
  const options = { ...values, files: operands.length === 0 ? ['-'] : operands };
  let result: Result;
  try {
    result = await inspectAll(options, io);
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    io.stderr.write(`codec-server inspect: ${error.message}\n`);
    return 1;
  }
  const { lines, summary } = result;
  if (options.json) io.stdout.write(renderJson(result, options.summary));
  else io.stdout.write(renderText(lines, summary, options.summary));
  const problems = problemsOf(result);
  if (!options.json) for (const problem of problems) io.stderr.write(`codec-server inspect: ${problem}\n`);
  if (!options.strict || (problems.length === 0 && summary.payloads > 0)) return 0;
  io.stderr.write('codec-server inspect: not proven: what was not understood may need any key.\n');
  return 4;
});

async function inspectAll(options: { files: readonly string[]; summary: boolean }, io: CommandIo): Promise<Result> {
  const tally = new Tally();
  const lines: Line[] = [];
  const empty: string[] = [];
  const notUnderstood: string[] = [];
  const several = options.files.length > 1;
  for await (const source of openSources(options.files, io)) {
    const found: { document: number; place: string; description: PayloadDescription }[] = [];
    const { payloads, documents, places }: Examined = await examine(source, (document, place, description) => {
      tally.add(description);
      if (!options.summary) found.push({ document, place, description });
    });
    const prefix = several || source.name !== nameOf(options.files[0]) ? `${source.name}: ` : '';
    for (const { document, place, description } of found) {
      const inside = documents > 1 ? `[${document}]${place === '' || place.startsWith('[') ? '' : '.'}${place}` : place;
      lines.push({ place: escaped(`${prefix}${inside === '' ? '(the document)' : inside}`), description });
    }
    if (payloads === 0) empty.push(source.name);
    notUnderstood.push(...places.map((place) => escaped(`${prefix}${place === '' ? '(the document)' : place}`)));
  }
  return { lines, summary: tally.summary(), empty, notUnderstood };
}

function nameOf(file: string | undefined): string | undefined {
  return file === '-' ? 'standard input' : file;
}

/** One sentence for each thing that keeps the summary from being a proof. */
function problemsOf({ summary, empty, notUnderstood }: Result): string[] {
  const { kinds, unknownEncodings } = summary;
  const problems = summary.payloads === 0 ? [] : empty.map((name) => `${name}: no payloads found.`);
  if (kinds.unknown > 0)
    problems.push(
      `${kinds.unknown} of an encoding that is not known here, and may be encrypted: ${unknownEncodings.join(', ')}.`,
    );
  if (kinds.unreadable > 0) problems.push(`${kinds.unreadable} unreadable: they claim a format and are not of it.`);
  if (kinds.reference > 0)
    problems.push(`${kinds.reference} in external storage: what is there was not looked at, and may need any key.`);
  if (notUnderstood.length > 0) {
    const more = notUnderstood.length > 5 ? `, and ${notUnderstood.length - 5} more` : '';
    const places = `${notUnderstood.slice(0, 5).join(', ')}${more}`;
    problems.push(`${notUnderstood.length} with the mark of a payload in a form that is not known here: ${places}.`);
  }
  return problems;
}

function renderJson({ lines, summary, empty, notUnderstood }: Result, summaryOnly: boolean): string {
  const payloads = lines.map(({ place, description }) => ({ place, ...description }));
  const rest = { ...(empty.length > 0 && { empty }), ...(notUnderstood.length > 0 && { notUnderstood }) };
  return `${printableJson(summaryOnly ? { summary, ...rest } : { payloads, summary, ...rest })}\n`;
}

function renderText(lines: readonly Line[], summary: Summary, summaryOnly: boolean): string {
  if (summary.payloads === 0) return 'No payloads found.\n';
  const parts = summaryOnly ? [] : lines.map(renderLine);
  return `${[...parts, renderSummary(summary)].join('\n')}`;
}

function renderLine({ place, description }: Line): string {
  const { kind, layers, suite, namespace, keys, size, problem } = description;
  const facts = [`  ${layers.join(' > ')}${suite === undefined ? '' : `, ${suite}`}, ${size} bytes`];
  if (kind === 'encrypted') facts.push(`  namespace ${namespace ?? '(none in the payload)'}`);
  for (const key of keys) facts.push(`  key ${key}`);
  if (problem !== undefined) facts.push(`  unreadable ${description.format}: ${escaped(problem)}`);
  return `${[place, ...facts].join('\n')}\n`;
}

function renderSummary({ payloads, kinds, keys }: Summary): string {
  const counts = Object.entries(kinds).filter(([, count]) => count > 0);
  const head = `${payloads} ${payloads === 1 ? 'payload' : 'payloads'}: ${counts.map(([kind, count]) => `${count} ${kind}`).join(', ')}\n`;
  const rows = keys.map(({ key, payloads: needed, onlyThisKey, formats, namespaces }) => {
    const others = onlyThisKey < needed ? `, ${onlyThisKey} of them by no other key` : '';
    const where = namespaces.length > 0 ? ` in ${namespaces.join(', ')}` : '';
    return `  ${key}: ${needed}${others} (${formats.join(', ')}${where})\n`;
  });
  return rows.length === 0 ? head : `${head}Keys that are needed:\n${rows.join('')}`;
}
