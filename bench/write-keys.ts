/**
 * What the life of write keys decides: data keys, readers' calls to KMS, waiting, cost. Plays the model
 * with a seed and writes the table of docs/cost.md (`npm run bench:pages` puts it there).
 *
 * usage: node bench/write-keys.ts [--seed 1]
 */
import { writeFileSync } from 'node:fs';
import { runnerOptions } from '../scripts/runner-options.ts';
import { play } from './write-keys/table.ts';

const USAGE = `
Usage: npm run bench:write-keys [-- options]

  --seed NUMBER      the same seed, the same table (default: 1)
  --help
`;
const { values: options } = runnerOptions(USAGE, { options: { seed: { type: 'string', default: '1' } } });

const table = play(Number(options.seed));
writeFileSync(new URL('./results/write-keys.json', import.meta.url), `${JSON.stringify(table, null, 1)}\n`);
for (const row of table.rows) process.stdout.write(`${JSON.stringify(row)}\n`);
