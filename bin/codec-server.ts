#!/usr/bin/env node
/** The command `codec-server`: arguments, environment and signals; what the commands do is in `cli/`. */
// The one import at start, so that it is read by a Node.js that could not read the others.
import { type CommandIo, nodeTooOld } from '../cli/command.ts';

const USAGE = `Usage: codec-server COMMAND [options]

  init           write what a team keeps in a repository of its own
  start          serve on this machine
  keygen         add a key to the keyring
  inspect        see which keys payloads need, without having any
  decode         decode whole histories and exports
  keys-in-use    prove which keys a namespace and its exports still need
  reencrypt      encrypt schedules again with the key that writes now
  token          make a service token
  check-config   check a configuration, and print who may do what where
  doctor         examine a running codec server

codec-server COMMAND --help says more about each; codec-server --version says which release this is.
`;

const io: CommandIo = {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  env: process.env,
  cwd: callersFolder(),
};

// A pipe whose reader is gone: no result can be given, and a server whose audit lines are lost must not go on.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.stderr.write('codec-server: nobody takes the output any more, so it ends here.\n');
  process.exit(1);
});

// A new repository brings a Node.js of its own, so that the one that starts it may be older.
const problem = process.argv[2] === 'init' ? undefined : nodeTooOld(process.versions.node);
if (problem === undefined) process.exitCode = await run(process.argv.slice(2));
else {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
}

async function run([command, ...argv]: readonly string[]): Promise<number> {
  switch (command) {
    case 'start': {
      const { start } = await import('../cli/start.ts');
      return start(argv, io, stopSignal());
    }
    case 'init': {
      const { init } = await import('../cli/init.ts');
      return init(argv, io);
    }
    case 'keygen': {
      const { keygen } = await import('../cli/keygen.ts');
      return keygen(argv, io);
    }
    case 'inspect': {
      const { inspect } = await import('../cli/inspect.ts');
      return inspect(argv, io);
    }
    case 'decode': {
      const { decode } = await import('../cli/decode.ts');
      return decode(argv, io, stopSignal());
    }
    case 'keys-in-use': {
      const { keysInUse } = await import('../cli/keys-in-use.ts');
      return keysInUse(argv, io);
    }
    case 'reencrypt': {
      const { reencrypt } = await import('../cli/reencrypt.ts');
      return reencrypt(argv, io);
    }
    case 'token': {
      const { token } = await import('../cli/token.ts');
      return token(argv, io);
    }
    case 'check-config': {
      const { checkConfigCommand } = await import('../cli/check-config.ts');
      return checkConfigCommand(argv, io);
    }
    case 'doctor': {
      const { doctor } = await import('../cli/doctor.ts');
      return doctor(argv, io);
    }
    case '--version':
    case '-v': {
      const { packageVersion } = await import('../cli/version.ts');
      io.stdout.write(`${packageVersion()}\n`);
      return 0;
    }
    case undefined:
    case '--help':
    case '-h':
    case 'help':
      io.stdout.write(USAGE);
      return command === undefined ? 2 : 0;
    default: {
      const { nearest } = await import('../config/problem.ts');
      const meant = nearest(
        command,
        [...USAGE.matchAll(/^ {2}([a-z-]+) {2,}/gm)].map(([, name = '']) => name),
      );
      const question = meant === undefined ? '' : ` Did you mean ${meant}?`;
      io.stderr.write(
        `codec-server: there is no command ${JSON.stringify(command)}.${question} See codec-server --help.\n`,
      );
      return 2;
    }
  }
}

/** The folder somebody typed the command in: npm runs its scripts in the package's folder, and names theirs. */
function callersFolder(): string {
  const { npm_lifecycle_event: script, INIT_CWD: folder } = process.env;
  return (script === 'codec-server' || script === 'start') && folder ? folder : process.cwd();
}

/** Aborted by the first Ctrl-C or SIGTERM; the second one ends the process at once, as if nobody listened. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort());
  return controller.signal;
}
