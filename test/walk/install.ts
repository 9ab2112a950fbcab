/**
 * The page on the package, walked: packed, started from in an empty folder, installed once from the registry, and used
 * with the Node of the machine and with Node 24, before and after scripts of packages were allowed to run.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensure, root, shell, succeedsIn, usesAServer } from './shell.ts';

/** Node 24, wherever the machine's own is older. */
const NODE_24 = fileURLToPath(new URL('node_modules/node/bin', root));

/** What `cdk synth` has to show: the outputs, and a function that is made of the package's. */
const SYNTHESIZED = ['CodecEndpoint', 'AWS::ApiGatewayV2::Api', 'AWS::Lambda::Function'];

/** The lowest versions of the CDK that the package says it works with. */
function lowestCdk(): string {
  const { peerDependencies } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
    peerDependencies: Record<string, string>;
  };
  return ['aws-cdk-lib', 'constructs']
    .map((name) => `${name}@${/^>=(\S+)/.exec(peerDependencies[name] ?? '')?.[1]}`)
    .join(' ');
}

/** @param folder an empty one */
export function installSteps(folder: string): Record<string, (command: string) => void | Promise<void>> {
  const app = join(folder, 'my-codec');
  return {
    'npx --yes --package ./temporal-codec-server-0.1.0.tgz codec-server init my-codec': (command) => {
      const { status, output } = shell(`npm pack --pack-destination ${folder}`);
      ensure(status === 0, `npm pack failed: ${output.slice(-600)}`);
      ensure(
        output === 'temporal-codec-server-0.1.0.tgz\n',
        `npm pack says more than its file: ${output.slice(0, 600)}`,
      );
      succeedsIn({ cwd: folder }, command, 'written  environments/dev.ts');
      succeedsIn({ cwd: folder }, command, 'kept     environments/dev.ts');
    },
    'npm install ../temporal-codec-server-0.1.0.tgz': async (command) => {
      // The lock file that it writes is what `npm ci` installs, first as where no scripts may run.
      succeedsIn({ cwd: app }, `${command} --package-lock-only`);
      succeedsIn({ cwd: app }, 'npm ci --ignore-scripts');
      const onNode24 = { cwd: app, first: NODE_24 };
      await usesAServer('npx codec-server start', onNode24);
      succeedsIn(onNode24, 'npx cdk synth CodecServer-dev', ...SYNTHESIZED);
      if (Number(shell('node -p "process.versions.node"', { cwd: app }).output.split('.')[0]) < 22) {
        const { status, output } = shell('npx codec-server start', { cwd: app });
        ensure(status === 1 && /^codec-server needs Node\.js .+\n$/.test(output), `an old Node says: ${output}`);
      }
      // What `npm ci` does where scripts may run.
      succeedsIn({ cwd: app }, 'npm rebuild node');
    },
    'npx codec-server start': (command) => usesAServer(command, { cwd: app }),
    'npx cdk synth CodecServer-dev': (command) => {
      const { status, output } = shell(command, { cwd: app });
      ensure(status === 0 && !output.includes('feature flags'), `it counts feature flags: ${output.slice(-600)}`);
      succeedsIn({ cwd: app }, `npm install --no-save --ignore-scripts ${lowestCdk()}`);
      succeedsIn({ cwd: app }, command, ...SYNTHESIZED);
      const assets = readdirSync(join(app, 'cdk.out')).filter((name) => name.startsWith('asset.'));
      ensure(
        assets.some((asset) => existsSync(join(app, 'cdk.out', asset, 'config.json'))),
        'no asset holds the function and its configuration',
      );
    },
  };
}
