/** `codec-server init`: a CDK app of a team's own around the package, in an empty folder or beside what is there. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { starterFiles } from './init/starter-files.ts';
import { createCommand, UsageError } from './run-command.ts';
import { packageVersion } from './version.ts';

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
  npm install
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
