/**
 * The CDK app's entry. `-c environments=<folder>` takes the environments of another folder than `environments`.
 * What a clone of an earlier version keeps in `config` is deployed as before.
 */
import { resolve } from 'node:path';
import { App } from 'aws-cdk-lib';
import { addEnvironments, findEnvironments } from '../lib/codec-server-app.ts';
import { settleFeatureFlags } from '../lib/feature-flags.ts';

const app = new App();
settleFeatureFlags(app);
const folder: unknown = app.node.tryGetContext('environments');
const folders = typeof folder === 'string' ? [folder] : ['environments', 'config'];
addEnvironments(app, await findEnvironments(...folders.map((name) => resolve(name))));
app.synth();
