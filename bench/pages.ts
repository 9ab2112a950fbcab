/**
 * Writes the figures of `bench/results` into the pages that state them.
 *
 * usage: node bench/pages.ts
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { readResults } from './figures.ts';
import { partsOf, withPart } from './report/pages.ts';

for (const [page, part] of Object.entries(partsOf(readResults()))) {
  const file = new URL(`../${page}`, import.meta.url);
  writeFileSync(file, withPart(readFileSync(file, 'utf8'), part));
  process.stdout.write(`${page} shows the figures of bench/results\n`);
}
