/** `codec-server reencrypt schedules`: the actions of schedules, encrypted again with the key that writes now. */
import { parseArgs } from 'node:util';
import { CONNECTION_FLAGS, CONNECTION_USAGE, ConnectionError, connectionOf } from './cluster/connection.ts';
import { createGrpcClient, failed, GrpcError } from './cluster/grpc-client.ts';
import { Message, message } from './cluster/protobuf.ts';
import { ScheduleChangedError, type ScheduleOutcome, ScheduleReencryption } from './cluster/reencrypt-schedule.ts';
import { TemporalApi } from './cluster/temporal-api.ts';
import type { CommandIo } from './command.ts';
import { type LocalCodec, openLocalDecoder } from './histories/local-decoder.ts';
import { DecoderError } from './histories/payload-decoder.ts';
import { printable } from './inspect/describe-payload.ts';

export const REENCRYPT_USAGE = `Usage: codec-server reencrypt schedules --from KEY (--keyring FILE | --config FILE) [options]

Schedules keep the input of the workflows that they start, for as long as they are there. This encrypts it
again with the key that writes now: nothing else of a schedule changes. Without --apply it only says what
it would do. Histories cannot be encrypted again: they go with their retention.

  --from KEY              the key to get rid of, as keys-in-use and inspect name it
  --keyring FILE, --config FILE
                          the keys: --from to read, and another one that writes
  --apply                 do it
${CONNECTION_USAGE}
  --rate N                calls a second at most (default: 100; schedules: 5)
  --json                  as JSON
  --help

Exit code: 0 done (or a dry run), 1 it failed, 2 wrong usage, 3 something remains under the key.
`;

/** Wrong usage. The message is one sentence. */
class UsageError extends Error {}

interface Failure {
  readonly id: string;
  readonly failed: string;
}

/** Encrypts schedules again. */
export async function reencrypt(argv: readonly string[], io: CommandIo): Promise<number> {
  let codec: LocalCodec | undefined;
  try {
    const options = parse(argv);
    if (options.help) {
      io.stdout.write(REENCRYPT_USAGE);
      return 0;
    }
    const connection = connectionOf(options, io.env, io.cwd);
    const { keyring, config, from = '' } = options;
    const { namespace } = connection;
    codec = await openLocalDecoder({ keyring, config, namespace, cwd: io.cwd });
    const client = createGrpcClient(connection);
    try {
      const api = new TemporalApi(client, options.rate);
      const work = new ScheduleReencryption(api, namespace, from, codec);
      const results: (ScheduleOutcome | Failure)[] = [];
      for (const id of await scheduleIds(api, namespace)) {
        results.push(await orFailure(id, () => work.run(id, !options.apply)));
        if (io.stderr.isTTY === true) io.stderr.write(`\r\u001b[K${results.length} schedules`);
      }
      if (io.stderr.isTTY === true) io.stderr.write('\r\u001b[K');
      io.stdout.write(
        options.json ? `${JSON.stringify({ results }, null, 2)}\n` : render(results, from, options.apply),
      );
      if (results.some((it) => 'failed' in it)) return 1;
      return results.some((it) => 'remains' in it && it.remains !== undefined) ? 3 : 0;
    } finally {
      client.close();
    }
  } catch (error) {
    const known = error instanceof UsageError || error instanceof ConnectionError || error instanceof DecoderError;
    if (!known && !(error instanceof GrpcError)) throw error;
    io.stderr.write(`codec-server reencrypt: ${error instanceof GrpcError ? failed(error) : error.message}\n`);
    return error instanceof UsageError || error instanceof ConnectionError ? 2 : 1;
  } finally {
    codec?.close();
  }
}

function parse(argv: readonly string[]) {
  let parsed: ReturnType<typeof parseFlags>;
  try {
    parsed = parseFlags(argv);
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split('. ')[0]}. See --help.`);
  }
  const { values, positionals } = parsed;
  const rate = Number(values.rate);
  if (values.help) return { ...values, rate };
  if (positionals.length !== 1 || positionals[0] !== 'schedules')
    throw new UsageError('say what: only schedules can be encrypted again. See --help.');
  if (values.from === undefined) throw new UsageError('--from names the key to get rid of. See --help.');
  if ((values.keyring === undefined) === (values.config === undefined))
    throw new UsageError('give the keys: one of --keyring and --config.');
  if (!(Number.isInteger(rate) && rate >= 1)) throw new UsageError('--rate takes a whole number of calls a second.');
  return { ...values, rate };
}

function parseFlags(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      ...CONNECTION_FLAGS,
      from: { type: 'string' },
      keyring: { type: 'string' },
      config: { type: 'string' },
      apply: { type: 'boolean', default: false },
      rate: { type: 'string', default: '100' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
}

async function scheduleIds(api: TemporalApi, namespace: string): Promise<string[]> {
  const ids = new Set<string>();
  let token: Buffer = Buffer.alloc(0);
  do {
    const request = message([1, namespace], [2, 1_000], [3, token.length === 0 ? undefined : token]);
    const { message: page } = await api.call('ListSchedules', request);
    for (const entry of page.all(1)) ids.add(new Message(entry).text(1));
    token = page.bytes(2);
  } while (token.length > 0);
  return [...ids].sort();
}

/** One schedule that fails does not keep the others from being done. */
async function orFailure(id: string, work: () => Promise<ScheduleOutcome>): Promise<ScheduleOutcome | Failure> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof GrpcError) return { id, failed: failed(error) };
    if (error instanceof ScheduleChangedError) return { id, failed: error.message };
    throw error;
  }
}

function render(results: readonly (ScheduleOutcome | Failure)[], from: string, isApplied: boolean): string {
  const lines: string[] = [];
  let found = 0;
  for (const it of results) {
    const id = printable(it.id);
    if ('failed' in it) lines.push(`${id}: failed: ${it.failed}`);
    else if (it.found > 0) {
      found++;
      const what = `${it.found} ${it.found === 1 ? 'payload' : 'payloads'} under ${printable(from)}`;
      lines.push(isApplied ? `${id}: ${it.changed} of ${what} encrypted again` : `${id}: ${what}`);
      if (it.remains !== undefined) lines.push(`  remains: ${it.remains}`);
    }
  }
  lines.push(
    `${results.length} ${results.length === 1 ? 'schedule' : 'schedules'}, ${found} with payloads under ${printable(from)}.`,
  );
  if (!isApplied && found > 0) lines.push('Nothing was changed: repeat it with --apply.');
  if (isApplied && found > 0)
    lines.push(
      'What they started before, and the last result that the next run gets, stays as it is: see keys-in-use.',
    );
  return `${lines.join('\n')}\n`;
}
