/** `npm run bundle`: builds the function, and says how large it is, of what, and what of it is loaded when. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildFunction } from '../lib/bundle/bundle.ts';
import { formatBundleReport, loadedParts } from '../lib/bundle/bundle-report.ts';

const folder = mkdtempSync(join(tmpdir(), 'codec-bundle-'));
try {
  const parts = loadedParts(await buildFunction(folder));
  process.stdout.write(`${formatBundleReport(parts)}\n`);
  if (parts.some(({ bytes, budget }) => bytes > budget)) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
