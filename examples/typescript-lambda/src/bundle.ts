/** Bundles the workflows when the function is built: with the plugin, or the worker refuses the bundle. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import { plugins } from './encryption.ts';

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));

const { code } = await bundleWorkflowCode({ workflowsPath: file('./workflows.js'), plugins });
writeFileSync(file('./workflow-bundle.js'), code);
