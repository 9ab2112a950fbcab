/**
 * A worker through every way in which its key service fails, at every place where it needs the codec,
 * on the newest SDK and on older ones: it lives, nothing readable is stored, and everything completes
 * when the key comes back.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { artifactRoot, projectRoot, suiteRoot } from './support/paths.ts';
import { run } from './support/processes.ts';
import { NAMESPACE } from './support/stage.ts';
import { startTemporal, type Temporal } from './support/temporal.ts';
import { olderSdk } from './support/tools.ts';
import { versions } from './support/versions.ts';

/** What the program prints of a case. */
interface Case {
  readonly case: string;
  readonly completed: boolean;
  readonly outcome: string;
  readonly lives: boolean;
  readonly readable: boolean;
}

const TROUBLES = ['HTTP 500', 'denied', 'disabled', 'throttled', 'reset', 'hang'];
const STAGES = [
  'workflowDecode',
  'workflowEncode',
  'workflowFailure',
  'activityDecode',
  'activityEncode',
  'activityFailure',
  'heartbeat',
];

const sdks: readonly (readonly [version: string, nodeModules: () => Promise<string>])[] = [
  [versions.typescriptSdk, async () => join(suiteRoot, 'node_modules')],
  ...versions.olderTypescriptSdks.map((version) => [version, () => olderSdk(version)] as const),
];

/**
 * A folder in which the codec's sources and the program find the packages of one SDK, as they would
 * where somebody has installed that.
 */
function folderFor(nodeModules: string): string {
  mkdirSync(artifactRoot, { recursive: true });
  const folder = mkdtempSync(join(artifactRoot, 'outages-'));
  for (const path of ['codec', 'test/support/kms-stand-in.ts', 'test/support/patience.ts', 'test/e2e/outages'])
    cpSync(join(projectRoot, path), join(folder, path), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}\n');
  const packages = join(folder, 'node_modules');
  mkdirSync(packages);
  // The AWS client is the project's own: what differs is the SDK.
  const ours = new Set(['@aws-sdk', '@smithy']);
  for (const name of readdirSync(nodeModules))
    if (!ours.has(name) && name !== '.bin') symlinkSync(join(nodeModules, name), join(packages, name));
  for (const name of ours) symlinkSync(join(projectRoot, 'node_modules', name), join(packages, name));
  return folder;
}

for (const [version, nodeModules] of sdks) {
  describe(`A worker of the TypeScript SDK ${version} whose KMS fails for longer than its keys are kept`, () => {
    let temporal: Temporal;
    let cases: readonly Case[] = [];

    before(async () => {
      temporal = await startTemporal([NAMESPACE]);
      const program = join(folderFor(await nodeModules()), 'test/e2e/outages/program.ts');
      const outcome = await run(process.execPath, [program, temporal.address, NAMESPACE], { timeout: 10 * 60_000 });
      assert.equal(outcome.code, 0, outcome.stderr.slice(-2000));
      cases = outcome.stdout.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Case] : []));
    });
    after(async () => await temporal?.stop());

    for (const trouble of TROUBLES) {
      it(`lives and completes everything: ${trouble}`, () => {
        const found = cases.filter((it) => it.case.startsWith(`${trouble} × `));
        assert.deepEqual(
          found.map((it) => it.case),
          STAGES.map((stage) => `${trouble} × ${stage}`),
        );
        assert.deepEqual(
          found.filter(({ completed, lives, readable }) => !completed || !lives || readable),
          [],
        );
      });
    }

    it('would have been seen to store something readable', () => {
      assert.deepEqual(
        cases.filter((it) => it.case === 'control').map(({ readable }) => readable),
        [true],
      );
    });
  });
}
