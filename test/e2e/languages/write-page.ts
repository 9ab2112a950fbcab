/**
 * `npm run docs:workers [-- --take]`: renders the tables of docs/workers.md from the kept results; with `--take`, keeps those
 * of the last `npm run test:e2e` first.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runnerOptions } from '../../../scripts/runner-options.ts';
import { artifactRoot, projectRoot } from '../support/paths.ts';
import { resultsFolder, withResults } from './page.ts';

const USAGE = `
Usage: npm run docs:workers [-- --take]

Renders the tables of docs/workers.md from test/e2e/languages/results and bench/results/workers.json.

  --take   keep the results of the last end-to-end run first
  --help
`;

const { values } = runnerOptions(USAGE, { options: { take: { type: 'boolean' } } });
const latest = join(artifactRoot, 'languages');
if (values.take && existsSync(latest)) {
  mkdirSync(resultsFolder, { recursive: true });
  for (const file of readdirSync(latest)) copyFileSync(join(latest, file), join(resultsFolder, file));
}
const page = join(projectRoot, 'docs/workers.md');
writeFileSync(page, withResults(readFileSync(page, 'utf8')));
