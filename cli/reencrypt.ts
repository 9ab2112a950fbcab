/** `codec-server reencrypt schedules`: the actions of schedules, encrypted again with the key that writes now. */
import { escaped, printableJson } from '../config/printable.ts';
import { connectionOf } from './cluster/connection.ts';
import { createGrpcClient, failed, GrpcError } from './cluster/grpc-client.ts';
import { Message, message } from './cluster/protobuf.ts';
import { ScheduleChangedError, type ScheduleOutcome, ScheduleReencryption } from './cluster/reencrypt-schedule.ts';
import { TemporalApi } from './cluster/temporal-api.ts';
import { type LocalCodec, openLocalDecoder } from './histories/local-decoder.ts';
import { DecoderError } from './histories/payload-decoder.ts';
import { Progress } from './progress.ts';
import { createCommand, type Given, UsageError, wholeNumber } from './run-command.ts';

interface Failure {
  readonly id: string;
  readonly failed: string;
}

/** Encrypts schedules again. */
export const reencrypt = createCommand('reencrypt', async (given, io) => {
  let codec: LocalCodec | undefined;
  try {
    const options = optionsOf(given);
    const connection = connectionOf(options, io.env, io.cwd);
    const { keyring, config, from } = options;
    const { namespace } = connection;
    codec = await openLocalDecoder({ keyring, config, namespace, cwd: io.cwd });
    const client = createGrpcClient(connection);
    try {
      const api = new TemporalApi(client, options.rate);
      const work = new ScheduleReencryption(api, namespace, from, codec);
      const progress = new Progress(io);
      const results: (ScheduleOutcome | Failure)[] = [];
      for (const id of await scheduleIds(api, namespace)) {
        results.push(await orFailure(id, () => work.run(id, !options.apply)));
        progress.at(() => `${results.length} schedules`);
      }
      progress.clear();
      io.stdout.write(options.json ? `${printableJson({ results })}\n` : render(results, from, options.apply));
      if (results.some((it) => 'failed' in it)) return 1;
      return results.some((it) => 'remains' in it && it.remains !== undefined) ? 3 : 0;
    } finally {
      client.close();
    }
  } catch (error) {
    if (!(error instanceof DecoderError) && !(error instanceof GrpcError)) throw error;
    io.stderr.write(`codec-server reencrypt: ${error instanceof GrpcError ? failed(error) : error.message}\n`);
    return 1;
  } finally {
    codec?.close();
  }
});

function optionsOf({ values, operands }: Given<'reencrypt'>) {
  const { from } = values;
  if (operands.length !== 1 || operands[0] !== 'schedules')
    throw new UsageError('say what: only schedules can be encrypted again.');
  if (from === undefined) throw new UsageError('--from names the key to get rid of.');
  if ((values.keyring === undefined) === (values.config === undefined))
    throw new UsageError('give the keys: one of --keyring and --config.');
  return { ...values, from, rate: wholeNumber('rate', values.rate, 1, 10_000) };
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
    const id = escaped(it.id);
    if ('failed' in it) lines.push(`${id}: failed: ${it.failed}`);
    else if (it.found > 0) {
      found++;
      const what = `${it.found} ${it.found === 1 ? 'payload' : 'payloads'} under ${escaped(from)}`;
      lines.push(isApplied ? `${id}: ${it.changed} of ${what} encrypted again` : `${id}: ${what}`);
      if (it.remains !== undefined) lines.push(`  remains: ${it.remains}`);
    }
  }
  lines.push(
    `${results.length} ${results.length === 1 ? 'schedule' : 'schedules'}, ${found} with payloads under ${escaped(from)}.`,
  );
  if (!isApplied && found > 0) lines.push('Nothing was changed: repeat it with --apply.');
  if (isApplied && found > 0)
    lines.push(
      'What they started before, and the last result that the next run gets, stays as it is: see keys-in-use.',
    );
  return `${lines.join('\n')}\n`;
}
