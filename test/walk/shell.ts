/** A newcomer's shell: commands as they stand, with the Node that the machine has. */
import { spawn, spawnSync } from 'node:child_process';

/** The root of the repository. */
export const root = new URL('../../', import.meta.url);

/** Where a command runs. */
export interface Place {
  /** Default: the root of the repository. */
  readonly cwd?: string;
  /** A folder that comes before all others where commands are looked for. Default: none. */
  readonly first?: string;
}

/** The environment of a person's shell: without what npm puts in front for its scripts, and with more patience for a registry. */
function shellEnvironment(first?: string): NodeJS.ProcessEnv {
  const parts = (process.env['PATH'] ?? '').split(':').filter((part) => !part.includes('node_modules'));
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('npm_') && name !== 'NODE');
  return {
    ...Object.fromEntries(own),
    npm_config_fetch_retries: '5',
    PATH: [...(first === undefined ? [] : [first]), ...parts].join(':'),
  };
}

/** Runs a command to its end. */
export function shell(command: string, { cwd, first }: Place = {}): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('bash', ['-c', command], {
    cwd: cwd ?? root,
    env: shellEnvironment(first),
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return { status, output: `${stdout}${stderr}` };
}

/** @throws Error with the message unless the condition holds */
export function ensure(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

/** @throws Error unless the command ends well and its output has all of the words */
export function succeedsIn(place: Place, command: string, ...words: string[]): void {
  const { status, output } = shell(command, place);
  ensure(status === 0, `exit code ${status}: ${output.slice(-600)}`);
  for (const word of words)
    ensure(output.includes(word), `its output lacks ${JSON.stringify(word)}: ${output.slice(-600)}`);
}

/** The same in the root of the repository. */
export function succeeds(command: string, ...words: string[]): void {
  succeedsIn({}, command, ...words);
}

/**
 * Starts a server with a command, decodes with the `curl` that it prints, and stops it as Ctrl-C does.
 *
 * @param whileUp what else is done with it, given what it printed
 */
export async function usesAServer(
  command: string,
  place: Place,
  whileUp: (output: string) => void = () => undefined,
): Promise<void> {
  const server = spawn('bash', ['-c', command], {
    cwd: place.cwd ?? root,
    env: shellEnvironment(place.first),
    detached: true,
  });
  let output = '';
  for (const stream of [server.stdout, server.stderr])
    stream.on('data', (chunk) => {
      output += chunk;
    });
  const ended = new Promise<number | null>((resolve) => server.on('exit', resolve));
  let curl = '';
  try {
    const deadline = Date.now() + 300_000;
    while (!output.includes('Ctrl-C stops it')) {
      ensure(server.exitCode === null, `it ended: ${output.slice(-600)}`);
      ensure(Date.now() < deadline, `it is not up after five minutes: ${output.slice(-600)}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    curl = /^curl .+$/m.exec(output)?.[0] ?? '';
    const decoded = shell(curl).output;
    const [payload] = (JSON.parse(decoded) as { payloads: { data: string }[] }).payloads;
    const text = Buffer.from(payload?.data ?? '', 'base64').toString();
    ensure(/^"[\w ]+"$/.test(text), `the printed curl decodes to ${text}`);
    whileUp(output);
  } finally {
    // One that ended by itself has said why, and that is the error to show.
    if (server.exitCode === null) process.kill(-(server.pid as number), 'SIGINT');
  }
  ensure((await ended) !== null || server.signalCode === 'SIGINT', 'it does not end on Ctrl-C');
  ensure(shell(`${curl} --max-time 20`).status !== 0, 'it still answers after Ctrl-C');
}
