/** What a bundle consists of, and whether it keeps to its budget. */
import type { Metafile } from 'esbuild';
import type { CodecServerConfig } from '../../config/schema.ts';

/** Bytes of minified code that a cold start may have to read; the map is not read. */
const MOST_BUNDLE_BYTES = 450_000;

/** The same where there is external storage, which brings the S3 client and the code that reads references. */
const MOST_BUNDLE_BYTES_WITH_STORAGE = 580_000;

/** Bytes more for an environment with a sign-in of its own: `openid-client` with what it needs, and our pages. */
const SIGN_IN_BYTES = 90_000;

/** The budget of an environment's bundle. */
export function bundleBudget({ storage, identity }: Pick<CodecServerConfig, 'storage' | 'identity'>): number {
  return (storage ? MOST_BUNDLE_BYTES_WITH_STORAGE : MOST_BUNDLE_BYTES) + (identity?.signIn ? SIGN_IN_BYTES : 0);
}

/** The size of a bundle, in all and by package; what is ours by folder. */
export interface BundleReport {
  readonly bytes: number;
  readonly packages: Readonly<Record<string, number>>;
}

/** Reads esbuild's account of a bundle. */
export function bundleReport(metafile: Metafile): BundleReport {
  const output = Object.entries(metafile.outputs).find(([file]) => file.endsWith('.mjs'))?.[1];
  if (output === undefined) throw new Error('the bundle has no code');
  const packages: Record<string, number> = {};
  for (const [file, { bytesInOutput }] of Object.entries(output.inputs)) {
    if (bytesInOutput === 0) continue;
    const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? file.split('/')[0] ?? file;
    packages[name] = (packages[name] ?? 0) + bytesInOutput;
  }
  return { bytes: output.bytes, packages };
}

/** The report as a table, the largest first. */
export function formatBundleReport(environment: string, { bytes, packages }: BundleReport, budget: number): string {
  const rows = Object.entries(packages)
    .sort(([, a], [, b]) => b - a)
    .map(([name, size]) => `${String(size).padStart(9)}  ${name}`);
  const verdict = bytes > budget ? 'OVER' : 'within';
  return [
    `${environment}: ${bytes} bytes, ${verdict} the budget of ${budget}`,
    ...rows,
    `${String(bytes - Object.values(packages).reduce((sum, size) => sum + size, 0)).padStart(9)}  between them`,
  ].join('\n');
}
