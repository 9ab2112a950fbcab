/** `codec-server reencrypt schedules`: the actions of schedules, encrypted again with the key that writes now. */
import { escaped, printableJson } from '../config/printable.ts';
import { connectionOf } from './cluster/connection.ts';
import { createGrpcClient } from './cluster/grpc-client.ts';
import { whyNoKey } from './cluster/key-usage.ts';
import { Message } from './cluster/protobuf.ts';
import { ScheduleChangedError, type ScheduleOutcome, ScheduleReencryption } from './cluster/reencrypt-schedule.ts';
import { faultOf, TemporalApi } from './cluster/temporal-api.ts';
import type { CommandIo } from './command.ts';
import { type LocalCodec, openLocalDecoder } from './histories/local-decoder.ts';
import { DecoderError } from './histories/payload-decoder.ts';
import { Progress } from './progress.ts';
import { createCommand, type Given, UsageError, wholeNumber } from './run-command.ts';

interface Failure {
  readonly id: string;
  readonly failed: string;
}

/** What was done before it ended, and what ended it. */
interface Outcome {
  readonly results: readonly (ScheduleOutcome | Failure)[];
  /** Schedules that were not looked at. */
  readonly left: number;
  readonly fault: string | undefined;
}

/** Encrypts schedules again; the signal ends it between two of them. */
export const reencrypt = createCommand('reencrypt', async (given, io, stop) => {
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
      const outcome = await runAll(await scheduleIds(api, namespace), (id) => work.run(id, !options.apply), io, stop);
      const { results, left, fault } = outcome;
      io.stdout.write(options.json ? `${printableJson({ results, left })}\n` : render(outcome, from, options.apply));
      if (fault !== undefined) io.stderr.write(`codec-server reencrypt: ${fault}\n`);
      if (left > 0) {
        const schedules = left === 1 ? '1 schedule was' : `${left} schedules were`;
        io.stderr.write(`codec-server reencrypt: ${schedules} not looked at: run it again, it goes on from there.\n`);
      }
      if (left > 0 || results.some((it) => 'failed' in it)) return 1;
      return results.some((it) => 'remains' in it && it.remains !== undefined) ? 3 : 0;
    } finally {
      client.close();
    }
  } catch (error) {
    const sentence = error instanceof DecoderError ? error.message : faultOf(error);
    if (sentence === undefined) throw error;
    io.stderr.write(`codec-server reencrypt: ${sentence}\n`);
    return 1;
  } finally {
    codec?.close();
  }
});

/** One after the other. What ends it does not keep what was done from being said. */
async function runAll(
  ids: readonly string[],
  work: (id: string) => Promise<ScheduleOutcome>,
  io: CommandIo,
  stop: AbortSignal,
): Promise<Outcome> {
  const progress = new Progress(io);
  const results: Outcome['results'][number][] = [];
  let fault: string | undefined;
  for (const id of ids) {
    if (stop.aborted) break;
    try {
      results.push(await orFailure(id, () => work(id)));
    } catch (error) {
      if (!(error instanceof DecoderError)) throw error;
      fault = error.message;
      break;
    }
    progress.at(() => `${results.length} of ${ids.length} schedules`);
  }
  progress.clear();
  return { results, left: ids.length - results.length, fault };
}

function optionsOf({ values, operands }: Given<'reencrypt'>) {
  const { from } = values;
  if (operands.length !== 1 || operands[0] !== 'schedules')
    throw new UsageError('say what: only schedules can be encrypted again.');
  if (from === undefined) throw new UsageError('--from names the key to get rid of.');
  const problem = whyNoKey(from);
  if (problem !== undefined) throw new UsageError(`--from ${problem}.`);
  if ((values.keyring === undefined) === (values.config === undefined))
    throw new UsageError('give the keys: one of --keyring and --config.');
  return { ...values, from, rate: wholeNumber('rate', values.rate, 1, 10_000) };
}

async function scheduleIds(api: TemporalApi, namespace: string): Promise<string[]> {
  const ids = new Set<string>();
  for await (const { message: page } of api.pages(
    'ListSchedules',
    [
      [1, namespace],
      [2, 1_000],
    ],
    [3, 2],
  ))
    for (const entry of page.all(1)) ids.add(new Message(entry).text(1));
  return [...ids].sort();
}

/** One schedule that fails does not keep the others from being done. */
async function orFailure(id: string, work: () => Promise<ScheduleOutcome>): Promise<ScheduleOutcome | Failure> {
  try {
    return await work();
  } catch (error) {
    const sentence = error instanceof ScheduleChangedError ? error.message : faultOf(error);
    if (sentence === undefined) throw error;
    return { id, failed: sentence };
  }
}

function render({ results }: Outcome, from: string, isApplied: boolean): string {
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
    if ('isInHistory' in it && it.isInHistory)
      lines.push(
        `${id}: the server's own workflow of it has payloads under ${escaped(from)} in its history${isApplied ? ', and was told to begin anew' : ''}`,
      );
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
