/** `codec-server init`: a CDK app of a team's own around the package, in an empty folder or beside what is there. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { CONFIG_VERSION } from '../config/schema.ts';
import { packageVersion } from './command.ts';
import { createCommand, UsageError } from './run-command.ts';

/** Writes the files that are not there, and says what to do next. */
export const init = createCommand('init', async ({ operands }, io) => {
  if (operands.length > 1) throw new UsageError('one folder at most.');
  const folder = resolve(io.cwd, operands[0] ?? '.');
  const version = packageVersion();
  let kept = 0;
  for (const [name, text] of Object.entries(starterFiles(version))) {
    const file = join(folder, name);
    try {
      if (existsSync(file)) {
        kept++;
        io.stdout.write(`  kept     ${name}\n`);
        continue;
      }
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text, { flag: 'wx' });
      io.stdout.write(`  written  ${name}\n`);
    } catch (error) {
      io.stderr.write(`codec-server init: ${file} cannot be written: ${(error as Error).message}\n`);
      return 1;
    }
  }
  io.stdout.write(kept === 0 ? NEXT : `${NEXT}${BESIDE(version)}`);
  return 0;
});

const NEXT = `
Next:
  npm install                                        or, before the package is in a registry: npm install FILE.tgz
  npx codec-server start                             serves on this machine
  npx codec-server check-config environments/dev.ts
  npx cdk deploy CodecServer-dev
`;

/** What a repository that has a package.json of its own still needs. */
const BESIDE = (version: string): string => `
A package.json of your own needs:
  npm install temporal-codec-server@^${version} aws-cdk-lib constructs
  npm install --save-dev aws-cdk node@24
and the script "app": "node bin/app.ts", which cdk.json runs.
`;

// What is written. The environments are those of this repository, so that they are tested and cannot drift.

/** Versions of what a new app installs besides; those that this release is tested with. */
const CDK_LIB = '^2.276.0';
const CDK_CLI = '^2.1148.1';
const CONSTRUCTS = '^10.8.1';
const NODE = '^24.21.0';

/** Files by their path. @param version of this package */
function starterFiles(version: string): Record<string, string> {
  return {
    'environments/dev.ts': environment('dev'),
    'environments/prod.ts': environment('prod'),
    'bin/app.ts': APP,
    'cdk.json': CDK_JSON,
    'package.json': `${JSON.stringify(manifest(version), null, 2)}\n`,
    '.gitignore': 'node_modules/\ncdk.out/\n.codec-server/\n*.pem\n',
    'README.md': README,
  };
}

function environment(name: 'dev' | 'prod'): string {
  const text = readFileSync(new URL(`../environments/${name}.ts`, import.meta.url), 'utf8');
  return text
    .replace("'../config/environment.ts'", "'temporal-codec-server/config'")
    .replace(/^const environment: EnvironmentConfig = {$/m, `$&\n  version: ${CONFIG_VERSION},`);
}

const APP = `/** The CDK app: one stack for each environment. */
import { App } from 'aws-cdk-lib';
import { CodecServerStack, settleFeatureFlags } from 'temporal-codec-server/cdk';
import dev from '../environments/dev.ts';
import prod from '../environments/prod.ts';

const app = new App();
settleFeatureFlags(app); // those that cdk.json leaves open stay as they are without them
for (const [environment, config] of Object.entries({ dev, prod })) {
  new CodecServerStack(app, \`CodecServer-\${environment}\`, { environment, config });
}
`;

/** Through npm, which takes the Node.js of this project and not the one that a \`cdk\` installed elsewhere runs on. */
const CDK_JSON = `${JSON.stringify(
  {
    app: 'npm run --silent app',
    context: {
      '@aws-cdk/aws-apigateway:disableCloudWatchRole': true,
      '@aws-cdk/aws-iam:minimizePolicies': true,
      '@aws-cdk/aws-lambda:recognizeLayerVersion': true,
      '@aws-cdk/aws-lambda:recognizeVersionProps': true,
      '@aws-cdk/core:checkSecretUsage': true,
      '@aws-cdk/core:target-partitions': ['aws', 'aws-cn', 'aws-us-gov'],
      '@aws-cdk/core:stackRelativeExports': true,
    },
  },
  null,
  2,
)}\n`;

function manifest(version: string): object {
  return {
    name: 'codec-server',
    private: true,
    type: 'module',
    scripts: { app: 'node bin/app.ts' },
    dependencies: { 'aws-cdk-lib': CDK_LIB, constructs: CONSTRUCTS, 'temporal-codec-server': `^${version}` },
    devDependencies: { 'aws-cdk': CDK_CLI, node: NODE },
    allowScripts: { node: true },
  };
}

const README = `# Codec server for Temporal

Who may read which payloads stands in [environments](environments), one file an environment.

    npm install                                          # or, before it is in a registry: npm install FILE.tgz
    npx codec-server start                               # on this machine, without AWS
    npx codec-server check-config environments/dev.ts    # who may do what
    npx cdk deploy CodecServer-dev

Upgrade with \`npm update temporal-codec-server\`, then \`npx cdk diff\`.
`;
