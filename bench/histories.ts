/**
 * How long `codec-server decode` takes for whole histories, from the start of the process to its end, as the package
 * has it, which is built first: with local keys, and at a server that is 50 ms away. Client and server are told apart.
 *
 * usage: node bench/histories.ts [--quick] [--rounds N] [--out NAME]
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addKeyToKeyringFile } from '../codec/keys/keyring/keyring-file.ts';
import { runnerOptions } from '../scripts/runner-options.ts';
import { farServer } from './histories/far-server.ts';
import { DATA_KEYS, type Input, makeInputs, NAMESPACE } from './histories/inputs.ts';
import type { HistoryRow, HistoryTable } from './histories/table.ts';
import { machine } from './machine.ts';
import { cpuMsOf, memoryOf, startServer } from './process.ts';

const USAGE = `
Usage: npm run bench:histories [-- options]

  --quick            smaller inputs and one round, kept under no name
  --rounds N         of each but the largest (default: 5)
  --out NAME         write the result to bench/results/NAME.json (default: histories)
  --help
`;
const { values: options } = runnerOptions(USAGE, {
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    out: { type: 'string', default: 'histories' },
  },
});
const ROUNDS = options.quick ? 1 : Number(options.rounds);
const SIZES = options.quick
  ? { events: 1_000, histories: 100, largeBytes: 50_000_000 }
  : { events: 10_000, histories: 1_000, largeBytes: 500_000_000 };
const DELAY_MS = 50;
/** As long as the kernel counts. */
const LOOK_MS = 10;
const PROGRAM = join(import.meta.dirname, '../dist/bin/codec-server.js');
const built = spawnSync(process.execPath, [join(import.meta.dirname, '../scripts/build.ts')], { stdio: 'inherit' });
if (built.status !== 0) throw new Error('the package cannot be built');

const folder = mkdtempSync(join(tmpdir(), 'bench-histories-'));
const keyring = join(folder, 'keyring.json');
addKeyToKeyringFile(keyring, 'bench');
const inputs = await makeInputs(folder, keyring, SIZES);
const start = ['start', '--port', '0', '--keyring', keyring, '--no-audit'];
const server = await startServer({ file: process.execPath, args: [PROGRAM, ...start], cwd: folder });
const far = await farServer(server, DELAY_MS);
const WAYS = {
  'local keys': ['--keyring', keyring],
  [`a server ${DELAY_MS} ms away`]: ['--endpoint', far.endpoint, '--namespace', NAMESPACE],
};

/** Runs the command as a person would, and looks at what it takes while it runs. */
async function once(input: Input, way: readonly string[]): Promise<HistoryRow['rounds'][number]> {
  const output = `${input.file}.out`;
  far.takeRequests();
  const serverBefore = cpuMsOf(server.pid);
  const begun = performance.now();
  const child = spawn(process.execPath, [PROGRAM, 'decode', input.file, '-o', output, ...way], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (text) => (said += text));
  let [clientMs, peakMiB] = [0, 0];
  const watch = setInterval(() => {
    try {
      clientMs = cpuMsOf(child.pid ?? 0);
      peakMiB = Math.max(peakMiB, memoryOf(child.pid ?? 0).peak);
    } catch {
      // It has ended in between.
    }
  }, LOOK_MS);
  const code = await new Promise((done) => child.once('exit', done));
  clearInterval(watch);
  const wallMs = Math.round(performance.now() - begun);
  if (code !== 0) throw new Error(`${input.name}: ${said}`);
  rmSync(output);
  const payloads = Number(/(\d+) payloads?, \1 decoded/.exec(said)?.[1]);
  const serverMs = cpuMsOf(server.pid) - serverBefore;
  return { wallMs, clientMs, serverMs, peakMiB: Math.round(peakMiB), requests: far.takeRequests(), payloads };
}

const rows: HistoryRow[] = [];
for (const input of [inputs.nothing, inputs.long, inputs.short, inputs.longer])
  for (const [way, args] of Object.entries(WAYS)) {
    // A server that people use is warm.
    if (args.includes('--endpoint')) await once(input, args);
    const rounds = [];
    for (let round = 0; round < ROUNDS; round++) rounds.push(await once(input, args));
    rows.push({ input: input.name, way, bytes: statSync(input.file).size, rounds });
  }
const largeRound = await once(inputs.large, WAYS['local keys'] ?? []);
rows.push({
  input: inputs.large.name,
  way: 'local keys',
  bytes: statSync(inputs.large.file).size,
  rounds: [largeRound],
});
far.stop();
await server.stop();
rmSync(folder, { recursive: true });

const table: HistoryTable = {
  ...(await machine()),
  settings: { ...SIZES, rounds: ROUNDS, delayMs: DELAY_MS, dataKeys: DATA_KEYS },
  rows,
};
for (const { input, way, rounds } of rows)
  process.stdout.write(`${input}, ${way}: ${rounds.map((it) => JSON.stringify(it)).join(' ')}\n`);
if (!options.quick)
  writeFileSync(new URL(`results/${options.out}.json`, import.meta.url), `${JSON.stringify(table, null, 2)}\n`);
