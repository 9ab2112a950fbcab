/** What the function consists of, what of it a start loads, and whether that keeps to its budget. */
import type { Metafile } from 'esbuild';
import { ENTRIES } from './bundle.ts';

/** Bytes of minified code that a cold start may have to read. */
const MOST_BYTES_AT_START = 450_000;

/** Bytes more that a part may bring which is loaded when a configuration first needs it, such as the S3 client. */
const MOST_BYTES_LATE = 350_000;

/** Files that are loaded together. */
export interface LoadedPart {
  /** The source file that stands for it; of what every configuration loads, the entry. */
  readonly name: string;
  readonly files: readonly string[];
  readonly bytes: number;
  readonly budget: number;
  /** The source files that something is left of, with the bytes that they come to. */
  readonly inputs: ReadonlyMap<string, number>;
}

/**
 * Reads esbuild's account of the function.
 *
 * @returns first what every configuration that has keys of KMS loads at the start, then what is loaded late, without what
 *   is there already
 */
export function loadedParts({ outputs }: Metafile): LoadedPart[] {
  const entries: readonly string[] = Object.values(ENTRIES);
  const nameOf = (file: string): string => outputs[file]?.entryPoint?.replace(/^late:(\.\/)?/, '') ?? file;
  const [index] = entries;
  const atStart = new Set(
    Object.keys(outputs)
      .filter((file) => entries.includes(nameOf(file)))
      .flatMap((file) => [...importsOf(outputs, file)]),
  );
  const late = Object.keys(outputs).filter((file) => outputs[file]?.entryPoint !== undefined && !atStart.has(file));
  return [
    partOf(outputs, index ?? '', [...atStart], MOST_BYTES_AT_START),
    ...late
      .map((file) => {
        const files = [...importsOf(outputs, file)].filter((it) => !atStart.has(it));
        return partOf(outputs, nameOf(file), files, MOST_BYTES_LATE);
      })
      .sort((a, b) => b.bytes - a.bytes),
  ];
}

/** A file and what it imports at once, which is loaded with it. */
function importsOf(outputs: Metafile['outputs'], file: string, seen = new Set<string>()): Set<string> {
  const output = outputs[file];
  if (output === undefined || seen.has(file)) return seen;
  seen.add(file);
  for (const { path, kind } of output.imports) if (kind === 'import-statement') importsOf(outputs, path, seen);
  return seen;
}

function partOf(outputs: Metafile['outputs'], name: string, files: readonly string[], budget: number): LoadedPart {
  const inputs = new Map<string, number>();
  let bytes = 0;
  for (const file of files) {
    bytes += outputs[file]?.bytes ?? 0;
    for (const [input, { bytesInOutput }] of Object.entries(outputs[file]?.inputs ?? {}))
      if (bytesInOutput > 0) inputs.set(input, (inputs.get(input) ?? 0) + bytesInOutput);
  }
  return { name, files, bytes, budget, inputs };
}

/** The report as tables, the largest first: packages, and what is ours by folder. */
export function formatBundleReport(parts: readonly LoadedPart[]): string {
  return parts.map(formatPart).join('\n\n');
}

function formatPart({ name, files, bytes, budget, inputs }: LoadedPart): string {
  const packages = new Map<string, number>();
  for (const [input, size] of inputs) {
    const owner = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? input.split('/')[0] ?? input;
    packages.set(owner, (packages.get(owner) ?? 0) + size);
  }
  const row = (size: number, what: string): string => `${String(size).padStart(9)}  ${what}`;
  const counted = [...packages.values()].reduce((sum, size) => sum + size, 0);
  return [
    `${name}: ${bytes} bytes in ${files.length} files, ${bytes > budget ? 'OVER' : 'within'} the budget of ${budget}`,
    ...[...packages].sort(([, a], [, b]) => b - a).map(([owner, size]) => row(size, owner)),
    row(bytes - counted, 'between them'),
  ].join('\n');
}
