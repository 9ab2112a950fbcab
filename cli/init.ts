/** `codec-server init`: a CDK app of a team's own around the package, in an empty folder or beside what is there. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { CommandIo } from './command.ts';
import { starterFiles } from './init/starter-files.ts';
import { packageVersion } from './version.ts';

export const INIT_USAGE = `Usage: codec-server init [FOLDER]

Writes what a team keeps in a repository of its own: environments/dev.ts, environments/prod.ts, bin/app.ts,
cdk.json, package.json, .gitignore and README.md. A file that exists is never changed.

  FOLDER         where to (default: here); made when there is none
  --help

Exit code: 0 written, 1 a file cannot be written, 2 wrong usage.
`;

/** Writes the files that are not there, and says what to do next. */
export async function init(argv: readonly string[], io: CommandIo): Promise<number> {
  let folder: string;
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: { help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    });
    if (values.help) {
      io.stdout.write(INIT_USAGE);
      return 0;
    }
    if (positionals.length > 1) throw new Error('One folder at the most');
    folder = resolve(io.cwd, positionals[0] ?? '.');
  } catch (error) {
    const [problem] = (error as Error).message.split(/\.?(?: To |$)/);
    io.stderr.write(`codec-server init: ${problem}. See --help.\n`);
    return 2;
  }
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
}

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
