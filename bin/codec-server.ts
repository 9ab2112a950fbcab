#!/usr/bin/env node
/** The command `codec-server`: arguments, environment and signals; what the commands do is in `cli/`. */
// No other imports at start: these are read by a Node.js that could not read the rest.
import { type Command, type CommandIo, nodeTooOld, overviewOf, packageVersion } from '../cli/command.ts';
import { COMMANDS, type CommandName } from '../cli/commands.ts';

/** What each command does, loaded when it is called. */
const LOAD: Readonly<Record<CommandName, () => Promise<Command>>> = {
  init: async () => (await import('../cli/init.ts')).init,
  start: async () => (await import('../cli/start.ts')).start,
  keygen: async () => (await import('../cli/keygen.ts')).keygen,
  inspect: async () => (await import('../cli/inspect.ts')).inspect,
  decode: async () => (await import('../cli/decode.ts')).decode,
  'keys-in-use': async () => (await import('../cli/keys-in-use.ts')).keysInUse,
  reencrypt: async () => (await import('../cli/reencrypt.ts')).reencrypt,
  token: async () => (await import('../cli/token.ts')).token,
  'check-config': async () => (await import('../cli/check-config.ts')).checkConfigCommand,
  doctor: async () => (await import('../cli/doctor.ts')).doctor,
  completion: async () => (await import('../cli/completion.ts')).completion,
};

const io: CommandIo = {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  env: process.env,
  cwd: callersFolder(),
};

// A pipe whose reader is gone, or a full disk: no result can be given, and a server whose audit lines are lost must not
// go on.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  const isGone = error.code === 'EPIPE';
  const problem = isGone
    ? 'nobody takes the output any more, so it ends here'
    : `the output cannot be written (${error.code})`;
  process.stderr.write(`codec-server: ${problem}.\n`);
  process.exit(1);
});

// A new repository brings a Node.js of its own, so that the one that starts it may be older.
const problem = process.argv[2] === 'init' ? undefined : nodeTooOld(process.versions.node);
if (problem === undefined) process.exitCode = await run(process.argv.slice(2));
else {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
}

async function run([name, ...argv]: readonly string[]): Promise<number> {
  if (isCommand(name)) return await (await LOAD[name]())(argv, io, stopSignal(name));
  switch (name) {
    case '--version':
    case '-v': {
      io.stdout.write(`${packageVersion()}\n`);
      return 0;
    }
    case undefined:
    case '--help':
    case '-h':
    case 'help':
      io.stdout.write(overviewOf(COMMANDS));
      return name === undefined ? 2 : 0;
    default: {
      const { nearest } = await import('../config/problem.ts');
      const meant = nearest(name, Object.keys(COMMANDS));
      const question = meant === undefined ? '' : ` Did you mean ${meant}?`;
      io.stderr.write(
        `codec-server: there is no command ${JSON.stringify(name)}.${question} See codec-server --help.\n`,
      );
      return 2;
    }
  }
}

function isCommand(name: string | undefined): name is CommandName {
  return name !== undefined && Object.hasOwn(COMMANDS, name);
}

/** The folder somebody typed the command in: npm runs its scripts in the package's folder, and names theirs. */
function callersFolder(): string {
  const { npm_lifecycle_event: script, INIT_CWD: folder } = process.env;
  return (script === 'codec-server' || script === 'start') && folder ? folder : process.cwd();
}

/** Aborted by the first Ctrl-C or SIGTERM; the second one ends the process at once, as if nobody listened. */
function stopSignal(name: CommandName): AbortSignal | undefined {
  if (!COMMANDS[name].stops) return undefined;
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort());
  return controller.signal;
}
