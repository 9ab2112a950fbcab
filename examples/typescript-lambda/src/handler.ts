/** What AWS Lambda invokes: a worker that polls until the time of its invocation is nearly over. */
import { fileURLToPath } from 'node:url';
import { runWorker } from '@temporalio/lambda-worker';
import * as activities from './activities.ts';
import { plugins } from './encryption.ts';

const version = { deploymentName: 'orders', buildId: process.env['BUILD_ID'] ?? '1' };

export const handler = runWorker(version, ({ workerOptions }) => {
  workerOptions.taskQueue = 'orders';
  workerOptions.activities = activities;
  workerOptions.workflowBundle = { codePath: fileURLToPath(new URL('./workflow-bundle.js', import.meta.url)) };
  workerOptions.plugins = plugins;
});
