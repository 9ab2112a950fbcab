/**
 * The CDK app's entry. `-c environments=<folder>` takes the environments of another folder than `environments`.
 * What a clone of an earlier version keeps in `config` is deployed as before.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { App } from 'aws-cdk-lib';
import { buildFunction } from '../lib/bundle/bundle.ts';
import { addEnvironments, findEnvironments } from '../lib/codec-server-app.ts';
import { settleFeatureFlags } from '../lib/feature-flags.ts';

const app = new App();
settleFeatureFlags(app);
const folder: unknown = app.node.tryGetContext('environments');
const folders = typeof folder === 'string' ? [folder] : ['environments', 'config'];
const environments = await findEnvironments(...folders.map((name) => resolve(name)));
const built = mkdtempSync(join(tmpdir(), 'codec-server-function-'));
try {
  await buildFunction(built);
  addEnvironments(app, environments, built);
  app.synth();
} finally {
  rmSync(built, { recursive: true });
}
