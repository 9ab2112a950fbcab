/** The CDK app: a stack for each environment. */
import { relative } from 'node:path';
import type { App, Stack } from 'aws-cdk-lib';
import type { Code } from 'aws-cdk-lib/aws-lambda';
import { checkDeployment } from '../config/checks/deployment.ts';
import { bundleFunction, PROJECT_ROOT } from './bundle/bundle.ts';
import { CodecServerStack } from './codec-server-stack.ts';
import type { Environment } from './environments.ts';
import { localAsset } from './local-asset.ts';
import { stackNameOf } from './names.ts';
import { RefusedStack } from './refused-stack.ts';

/** Adds the stacks of `environments`; the one of an environment with problems refuses to be synthesized. */
export function addEnvironments(app: App, environments: readonly Environment[]): Stack[] {
  return environments.map((environment) => addEnvironment(app, environment));
}

function addEnvironment(app: App, environment: Environment): Stack {
  const { name, file, config } = environment;
  const id = stackNameOf(name);
  const problems = checkDeployment(config);
  if (problems.length > 0) {
    return new RefusedStack(app, id, { configFile: relative(PROJECT_ROOT, file), problems });
  }
  return new CodecServerStack(app, id, { environment: name, config, code: functionCode(environment) });
}

/** The bundle as an asset, made when the stack is synthesized and named by what is in it. */
function functionCode({ name: environment, file: configFile, config }: Environment): Code {
  return localAsset(PROJECT_ROOT, [configFile, environment], (outdir) => {
    bundleFunction({ configFile, config, environment, outdir });
  });
}
