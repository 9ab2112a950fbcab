/** Freezes what this release deploys and accepts: `node test/releases/freeze.ts <version>` writes the folder of that version. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PROJECT_ROOT } from '../../lib/bundle/bundle.ts';
import { addEnvironments } from '../../lib/codec-server-app.ts';
import { FROZEN_ENVIRONMENTS } from './environments.ts';
import { lastingOf } from './lasting.ts';
import { formOf, WRITTEN, WRITTEN_CASES, type WrittenPayload, writeCase } from './written.ts';

const [version] = process.argv.slice(2);
if (version === undefined || !/^\d+\.\d+\.\d+$/.test(version)) {
  process.stderr.write('usage: node test/releases/freeze.ts <version>, such as 1.2.3\n');
  process.exit(2);
}
const folder = new URL(`${version}/`, import.meta.url);
const outdir = mkdtempSync(join(tmpdir(), 'codec-server-freeze-'));
mkdirSync(folder, { recursive: true });
for (const [file, { name, config }] of Object.entries(FROZEN_ENVIRONMENTS)) {
  const app = new App({ outdir: join(outdir, file), context: { 'aws:cdk:bundling-stacks': [] } });
  const [stack] = addEnvironments(app, [{ name, file: join(PROJECT_ROOT, 'environments', `${name}.ts`), config }]);
  if (stack === undefined) throw new Error(`${file}: no stack was made`);
  const template = lastingOf(Template.fromStack(stack).toJSON() as { Resources: unknown });
  writeFileSync(new URL(`${file}.json`, folder), `${JSON.stringify({ config, template }, null, 1)}\n`);
}
const written: Record<string, WrittenPayload> = {};
for (const name of WRITTEN_CASES) {
  const payload = await writeCase(name, outdir);
  written[name] = { payload, form: await formOf(payload) };
}
writeFileSync(new URL(WRITTEN, folder), `${JSON.stringify(written, null, 1)}\n`);
rmSync(outdir, { recursive: true });
