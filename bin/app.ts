/** The CDK app's entry. `-c environments=<folder>` takes the environments of another folder than `config`. */
import { resolve } from 'node:path';
import { App } from 'aws-cdk-lib';
import { addEnvironments } from '../lib/codec-server-app.ts';
import { findEnvironments } from '../lib/environments.ts';

const app = new App();
const folder: unknown = app.node.tryGetContext('environments');
addEnvironments(app, await findEnvironments(resolve(typeof folder === 'string' ? folder : 'config')));
app.synth();
