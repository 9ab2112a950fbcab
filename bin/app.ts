/**
 * The CDK app's entry. `-c environments=<folder>` takes the environments of another folder than `environments`.
 * What a clone of an earlier version keeps in `config` is deployed as before.
 */
import { resolve } from 'node:path';
import { App } from 'aws-cdk-lib';
import { CURRENT_VERSION_EXPIRED_FLAGS, CURRENT_VERSION_FLAG_DEFAULTS, FLAGS } from 'aws-cdk-lib/cx-api';
import { addEnvironments, findEnvironments } from '../lib/codec-server-app.ts';

const app = new App();
// The CDK counts the feature flags that an app leaves open. Set to what it does without them, they change no template.
for (const flag of Object.keys(FLAGS))
  if (app.node.tryGetContext(flag) === undefined && !CURRENT_VERSION_EXPIRED_FLAGS.includes(flag))
    app.node.setContext(flag, CURRENT_VERSION_FLAG_DEFAULTS[flag] ?? false);
const folder: unknown = app.node.tryGetContext('environments');
const folders = typeof folder === 'string' ? [folder] : ['environments', 'config'];
addEnvironments(app, await findEnvironments(...folders.map((name) => resolve(name))));
app.synth();
