/** `codec-server inspect`: says of payloads how they are encrypted and under which keys, without any key. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { CommandIo } from './command.ts';
import { describePayload, type PayloadDescription, printable } from './inspect/describe-payload.ts';
import { type FoundPayload, findPayloads } from './inspect/find-payloads.ts';
import { type Summary, summarize } from './inspect/summary.ts';

export const INSPECT_USAGE = `Usage: codec-server inspect [FILE...] [options]

Says of every payload in JSON how it is encrypted, for which namespace and under which key, and counts
payloads per key: which keys does this history still need? Needs no key and calls nobody.

  FILE         payloads, a request body, or the output of
               temporal workflow show --output json; "-" or nothing reads standard input
  --summary    the counts alone
  --json       as JSON
  --help

  temporal workflow show -w ID --output json | codec-server inspect

What it shows is what the payloads claim: only opening one proves it.
Exit code: 0 done, 1 the input cannot be read, 2 wrong usage.
`;

interface Line {
  readonly place: string;
  readonly description: PayloadDescription;
}

/** The input is no JSON, or cannot be read. */
class InputError extends Error {}

/** Inspects payloads. */
export async function inspect(argv: readonly string[], io: CommandIo): Promise<number> {
  const options = parse(argv);
  if (typeof options === 'string') {
    io.stderr.write(`codec-server inspect: ${options}\n`);
    return 2;
  }
  if (options.help) {
    io.stdout.write(INSPECT_USAGE);
    return 0;
  }
  const lines: Line[] = [];
  try {
    for (const file of options.files) {
      const prefix = options.files.length > 1 ? `${file}: ` : '';
      for (const found of findPayloads(await readJson(file, io))) lines.push(describe(found, prefix));
    }
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    io.stderr.write(`codec-server inspect: ${error.message}\n`);
    return 1;
  }
  const summary = summarize(lines.map(({ description }) => description));
  io.stdout.write(
    options.json ? renderJson(lines, summary, options.summary) : renderText(lines, summary, options.summary),
  );
  return 0;
}

function parse(argv: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        summary: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    return { ...values, files: positionals.length === 0 ? ['-'] : positionals };
  } catch (error) {
    return `${(error as Error).message} See --help.`;
  }
}

async function readJson(file: string, io: CommandIo): Promise<unknown> {
  const name = file === '-' ? 'standard input' : file;
  const text = await readText(file, name, io);
  if (text.trim() === '')
    throw new InputError(`${name} is empty: give JSON, such as temporal workflow show --output json.`);
  try {
    return JSON.parse(text);
  } catch {
    // One document a line: temporal workflow show --output jsonl
  }
  try {
    return text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => JSON.parse(line) as unknown);
  } catch {
    throw new InputError(`${name} is not JSON: use --output json with the Temporal CLI.`);
  }
}

async function readText(file: string, name: string, io: CommandIo): Promise<string> {
  try {
    if (file !== '-') return await readFile(resolve(io.cwd, file), 'utf8');
    const chunks: Buffer[] = [];
    for await (const chunk of io.stdin) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks).toString('utf8');
  } catch (error) {
    throw new InputError(`${name} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'}).`);
  }
}

function describe({ place, payload }: FoundPayload, prefix: string): Line {
  const description: PayloadDescription =
    payload === undefined
      ? {
          kind: 'unreadable',
          format: '(unknown)',
          suite: undefined,
          namespace: undefined,
          keys: [],
          size: 0,
          layers: [],
          problem: 'its metadata or data is no base64',
        }
      : describePayload(payload);
  return { place: printable(`${prefix}${place === '' ? '(the document)' : place}`), description };
}

function renderJson(lines: readonly Line[], summary: Summary, summaryOnly: boolean): string {
  const payloads = lines.map(({ place, description }) => ({ place, ...description }));
  return `${JSON.stringify(summaryOnly ? { summary } : { payloads, summary }, null, 2)}\n`;
}

function renderText(lines: readonly Line[], summary: Summary, summaryOnly: boolean): string {
  if (lines.length === 0) return 'No payloads found.\n';
  const parts = summaryOnly ? [] : lines.map(renderLine);
  return `${[...parts, renderSummary(summary)].join('\n')}`;
}

function renderLine({ place, description }: Line): string {
  const { kind, layers, suite, namespace, keys, size, problem } = description;
  const facts = [`  ${layers.join(' > ')}${suite === undefined ? '' : `, ${suite}`}, ${size} bytes`];
  if (kind === 'encrypted') facts.push(`  namespace ${namespace ?? '(none in the payload)'}`);
  for (const key of keys) facts.push(`  key ${key}`);
  if (problem !== undefined) facts.push(`  unreadable ${description.format}: ${printable(problem)}`);
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
