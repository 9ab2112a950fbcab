/**
 * `npm run test:walk`: a newcomer's walk. Runs every command of README.md as it stands there, with the
 * Node that the machine has, and checks that what happens is what the page promises. A command that
 * the walk does not know fails it: the page cannot promise what nobody has tried. Then the commands of
 * the pages under `docs/`, as far as they run without an AWS account and a Temporal server.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installSteps } from './install.ts';
import { PROVEN_ELSEWHERE, pageCommands } from './pages.ts';
import { commandsOf } from './readme.ts';
import { ensure, root, shell, succeeds, usesAServer } from './shell.ts';

const print = (line: string) => process.stdout.write(`${line}\n`);
const folder = mkdtempSync(join(tmpdir(), 'codec-server-walk-'));

/** Runs `npm ci && npm start` as it stands, uses what it prints, and stops it as Ctrl-C does. */
const walksTheFirstScreen = (command: string): Promise<void> =>
  usesAServer(command, {}, (output) => {
    const warnings = output.match(/^npm warn .+$/gm) ?? [];
    ensure(warnings.length === 0, `npm ci warns: ${warnings.join('\n')}`);
    succeeds('npm run -s codec-server -- doctor http://localhost:8888', 'round-trip', 'All is well');
  });

/** What is done for each command of the page. */
const STEPS: Readonly<Record<string, (command: string) => void | Promise<void>>> = {
  'npm ci && npm start': walksTheFirstScreen,
  'npm ci && npm test': () => {
    const ci = readFileSync(new URL('.ci/run', root), 'utf8');
    ensure(ci.includes('npm ci && npm test'), '.ci/run does not run it');
  },
  'npm run demo': () => {
    const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
      scripts: Record<string, string>;
    };
    ensure(manifest.scripts['demo'] !== undefined, 'there is no such script; the end-to-end suite runs it');
  },
  'npm ci': () =>
    ensure(shell('npm ls --depth 0').status === 0, 'the installed packages are not those of the lock file'),
  // without an AWS account a deployment stops before its first call; all that is before, runs
  'npx cdk bootstrap': () => succeeds('npx cdk bootstrap --show-template', 'CdkBootstrap'),
  'npx cdk deploy CodecServer-dev': () => {
    const { status, output } = shell('npx cdk synth CodecServer-dev');
    for (const word of ['CodecEndpoint', 'AWS::ApiGatewayV2::Api'])
      ensure(status === 0 && output.includes(word), `it lacks ${word}: ${output.slice(-600)}`);
    ensure(!output.includes('feature flags'), 'the CDK counts feature flags that are not configured');
  },
  'npm run -s codec-server -- check-config environments/dev.ts': (command) => succeeds(command),
  'npm pack --workspace codec': (command) => {
    succeeds(`${command} --pack-destination ${folder}`, 'temporal-codec-server-worker-0.1.0.tgz');
    ensure(
      existsSync(join(folder, 'temporal-codec-server-worker-0.1.0.tgz')),
      'it wrote another file than the page says',
    );
  },
  'npm run -s codec-server -- doctor http://localhost:8888': () => {
    // with the server of the first screen, above
  },
  'npm run -s codec-server -- inspect history.json': (command) => {
    const file = join(folder, 'history.json');
    const { payloads } = JSON.parse(readFileSync(new URL('test/walk/history.json', root), 'utf8')) as {
      payloads: unknown;
    };
    writeFileSync(file, JSON.stringify({ events: [{ input: { payloads } }] }));
    succeeds(command.replace('history.json', file), 'orders-dev.a1b2c', 'vector-1');
  },
  'npm run -s codec-server -- decode history.json --keyring .codec-server/keyring.json': (command) => {
    // with a keyring and a history of its own, of which it says that nothing is left
    const file = join(folder, 'plain.json');
    const keyring = join(folder, 'decode-keyring.json');
    writeFileSync(file, JSON.stringify({ metadata: { encoding: 'anNvbi9wbGFpbg==' }, data: 'MQ==' }));
    succeeds(`npm run -s codec-server -- keygen --keyring ${keyring}`);
    succeeds(
      command.replace('history.json', file).replace('.codec-server/keyring.json', keyring),
      '1 payload, 0 decoded',
    );
  },
  'npm run -s codec-server -- keys-in-use': (command) => {
    // without a server it says so; with one it is run by test/e2e/histories.test.ts
    const { status, output } = shell(`${command} --address localhost:1`);
    ensure(status === 1 && output.includes('the server cannot be reached'), output.slice(-600));
  },
  'npm run -s codec-server -- keygen': (command) => {
    const file = join(folder, 'keyring.json');
    succeeds(`${command} --keyring ${file}`);
    succeeds(`${command} --keyring ${file}`);
    const { keys } = JSON.parse(readFileSync(file, 'utf8')) as { keys: unknown[] };
    ensure(keys.length === 2, `the keyring has ${keys.length} keys after two commands`);
  },
  'npm run -s codec-server -- token ci': (command) => succeeds(command, 'codec_', 'sha256'),
};

const commands = [...new Set(commandsOf(readFileSync(new URL('README.md', root), 'utf8')))];
let failed = 0;
for (const command of commands) {
  const step = STEPS[command];
  try {
    ensure(step !== undefined, 'the walk does not know this command: add a step that proves it');
    await step(command);
    print(`ok    ${command}`);
  } catch (error) {
    failed++;
    print(`FAIL  ${command}\n      ${(error as Error).message}`);
  }
}
for (const command of Object.keys(STEPS)) {
  if (commands.includes(command)) continue;
  failed++;
  print(`FAIL  ${command}\n      README.md does not have this command any more: remove its step`);
}

/** What is done for the commands of the other pages that run anywhere. */
const PAGE_STEPS: typeof STEPS = {
  ...installSteps(folder),
  'npm run -s codec-server -- check-config environments/prod.ts': (command) => {
    // with its placeholders it has to be refused, each with its place
    const { status, output } = shell(command);
    ensure(status === 1 && output.includes('<your-company.com> is a placeholder'), output.slice(-600));
  },
  'npm run -s codec-server -- keygen --name 2027-01 --read-only': (command) => {
    const file = join(folder, 'shared-keyring.json');
    succeeds(`npm run -s codec-server -- keygen --name first --keyring ${file}`);
    succeeds(`${command} --keyring ${file}`, 'It only reads; first still writes');
  },
  'npm run -s codec-server -- keygen --make-current 2027-01': (command) =>
    succeeds(`${command} --keyring ${join(folder, 'shared-keyring.json')}`, 'The key 2027-01 of'),
  'npm run -s codec-server -- token ci --days 365': (command) => succeeds(command, 'codec_', 'expires'),
  'npm run -s codec-server -- token ci --file tokens.json': (command) => {
    const file = join(folder, 'tokens.json');
    succeeds(command.replace('tokens.json', file), 'codec_');
    ensure(readFileSync(file, 'utf8').includes('sha256'), 'the file has no entry');
  },
};

let passed = commands.length - failed;
let elsewhere = 0;
for (const { page, command } of pageCommands(root)) {
  if (command in STEPS) continue;
  const proof = PROVEN_ELSEWHERE.find(([pattern]) => pattern.test(command))?.[1];
  try {
    const step = PAGE_STEPS[command];
    if (step !== undefined) {
      await step(command);
      print(`ok    ${page}: ${command}`);
      passed++;
      continue;
    }
    ensure(proof !== undefined, 'the walk does not know this command: add a step, or name what proves it');
    ensure(existsSync(new URL(proof, root)), `${proof}, which is to prove it, does not exist`);
    elsewhere++;
  } catch (error) {
    failed++;
    print(`FAIL  ${page}: ${command}\n      ${(error as Error).message}`);
  }
}
rmSync(folder, { recursive: true });
print(`${elsewhere} commands of the pages need AWS, Temporal or hours; test/walk/pages.ts names what proves each`);
print(`walk: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
