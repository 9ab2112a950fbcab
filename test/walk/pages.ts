/**
 * Commands of the pages under `docs/` and of CONTRIBUTING.md: those that run on any machine are run by the
 * walk; every other one names what stands in for it, and why it cannot run here.
 */
import { globSync, readFileSync } from 'node:fs';
import { commandsOf } from './readme.ts';

/** A command as a page has it. */
export interface PageCommand {
  readonly page: string;
  readonly command: string;
}

/** What proves commands that the walk cannot run, by how they begin. A proof is a file of this project. */
export const PROVEN_ELSEWHERE: readonly (readonly [command: RegExp, proof: string])[] = [
  // need an AWS account: their arguments are names of outputs, which the tests of the stack hold
  [/^aws (sts|iam|secretsmanager|lambda|kms|cloudformation) /, 'test/lib/codec-server-app.test.ts'],
  [/^(ALIAS_ARN=\$\(aws|FUNCTION=)/, 'test/lib/codec-server-app.test.ts'],
  [/^npx cdk (deploy|diff|destroy) CodecServer-prod$/, 'test/aws/stack.test.ts'],
  [/^npm run -s codec-server -- doctor (https:\/\/|<|.* --address )/, 'test/e2e/doctor.test.ts'],
  // need a Temporal server and its CLI, which the end-to-end suite has
  [/^temporal workflow show .*\| npm run -s codec-server -- inspect$/, 'test/cli/inspect.test.ts'],
  [/^temporal workflow show .*> history\.json$/, 'test/e2e/histories.test.ts'],
  [/^(npm run -s codec-server -- decode |export CODEC_SERVER_TOKEN=)/, 'test/cli/decode.test.ts'],
  [/^npm run -s codec-server -- (keys-in-use|reencrypt) /, 'test/e2e/histories.test.ts'],
  // one after the other, as the page tells it
  [
    /^(openssl req|node_modules\/\.bin\/node examples\/local-https|export NODE_EXTRA_CA_CERTS|export SSL_CERT_FILE|npm start -- --config examples)/,
    'test/e2e/start-message.test.ts',
  ],
  [
    /^(TOKEN=…|curl --cacert cert\.pem |temporal workflow show .*https:\/\/localhost)/,
    'test/e2e/start-message.test.ts',
  ],
  [/^temporal workflow show .*--codec-endpoint/, 'test/e2e/cli.test.ts'],
  // need an account of Temporal Cloud: names and program are compared with those of Temporal's tools
  [
    /^(npx cdk deploy CodecServer-prod --outputs-file|node set-codec-server|tcld )/,
    'test/docs/temporal-as-code.test.ts',
  ],
  // changes the clone that the walk walks in
  [/^git pull$/, '.ci/run'],
  // longer than a walk: CI has them as steps of their own, the soak with fewer minutes
  [
    /^npm run (lint|typecheck|bundle|check:templates|test:aws|test:workers|test:deployed|test:e2e|fuzz|soak|test:walk|supply-chain)$/,
    '.ci/run',
  ],
  [/^npm run -s soak -- --minutes 60/, '.ci/run'],
  [/^npm run -s fuzz -- --seconds 75 /, '.ci/run'],
  [/^npm run bench$/, 'bench/run.ts'],
];

/** Every command of the pages; lines that go on are one. */
export function pageCommands(root: URL): PageCommand[] {
  const pages = [...globSync('docs/*.md', { cwd: root }).sort(), 'CONTRIBUTING.md'];
  return pages.flatMap((page) => {
    const text = readFileSync(new URL(page, root), 'utf8').replace(/\\\n\s*/g, ' ');
    const commands = commandsOf(text).filter((command) => !command.startsWith('#'));
    return commands.map((command) => ({ page, command }));
  });
}
