/**
 * Freezes what this release deploys, accepts and writes: `npx node test/releases/freeze.ts <version>` writes the folder of
 * that version; with `--compare` it ends with 1 where the folder holds something else. `npm run release` does both.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PROJECT_ROOT } from '../../lib/bundle/bundle.ts';
import { addEnvironments } from '../../lib/codec-server-app.ts';
import { FROZEN_ENVIRONMENTS } from './environments.ts';
import { lastingOf } from './lasting.ts';
import { frozenEnvironments, frozenPayloads } from './releases.ts';
import { formOf, WRITTEN, WRITTEN_CASES, type WrittenPayload, writeCase } from './written.ts';

const [version, mode] = process.argv.slice(2);
if (version === undefined || !/^\d+\.\d+\.\d+$/.test(version)) {
  process.stderr.write('usage: npx node test/releases/freeze.ts <version> [--compare], such as 1.2.3\n');
  process.exit(2);
}
const outdir = mkdtempSync(join(tmpdir(), 'codec-server-freeze-'));
try {
  const environments = frozenNow();
  const written: Record<string, WrittenPayload> = {};
  for (const name of WRITTEN_CASES) {
    const payload = await writeCase(name, outdir);
    written[name] = { payload, form: await formOf(payload) };
  }
  if (mode === '--compare') process.exitCode = isFrozen(version, environments, written) ? 0 : 1;
  else write(version, { ...environments, [WRITTEN.replace('.json', '')]: written });
} finally {
  rmSync(outdir, { recursive: true });
}

function frozenNow(): Record<string, object> {
  const entries = Object.entries(FROZEN_ENVIRONMENTS).map(([file, { name, config }]) => {
    const app = new App({ outdir: join(outdir, file), context: { 'aws:cdk:bundling-stacks': [] } });
    const [stack] = addEnvironments(app, [{ name, file: join(PROJECT_ROOT, 'environments', `${name}.ts`), config }]);
    if (stack === undefined) throw new Error(`${file}: no stack was made`);
    return [file, { config, template: lastingOf(Template.fromStack(stack).toJSON() as { Resources: unknown }) }];
  });
  return Object.fromEntries(entries);
}

/** Payloads are random; what of them is not, is their form. */
function isFrozen(
  release: string,
  environments: Record<string, object>,
  written: Record<string, WrittenPayload>,
): boolean {
  const forms = (payloads: [string, WrittenPayload][]) =>
    Object.fromEntries(payloads.map(([name, { form }]) => [name, form]));
  return (
    isDeepStrictEqual(asJson(environments), Object.fromEntries(frozenEnvironments(release))) &&
    isDeepStrictEqual(forms(Object.entries(written)), forms(frozenPayloads(release)))
  );
}

function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function write(release: string, files: Record<string, unknown>): void {
  const folder = new URL(`${release}/`, import.meta.url);
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(files))
    writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(content, null, 1)}\n`);
}
