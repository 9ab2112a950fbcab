/**
 * Encrypts the action of a schedule again. Nothing else of it changes: the schedule is written back as the
 * bytes that were read, but for the payloads, and under the conflict token that was read with them.
 */
import { randomUUID } from 'node:crypto';
import type { Payload } from '../../codec/payload.ts';
import type { LocalCodec } from '../histories/local-decoder.ts';
import { wait } from '../histories/payload-decoder.ts';
import { walkWire } from '../histories/wire.ts';
import { describePayload } from '../inspect/describe-payload.ts';
import { examineStretch } from '../inspect/examine.ts';
import { GRPC, GrpcError } from './grpc-client.ts';
import { isSameKeyName } from './key-usage.ts';
import { Message, message } from './protobuf.ts';
import type { TemporalApi } from './temporal-api.ts';

/** What became of a schedule. */
export interface ScheduleOutcome {
  readonly id: string;
  /** Payloads under the key, before. */
  readonly found: number;
  /** Encrypted again; 0 in a dry run. */
  readonly changed: number;
  /** Nothing is under the key any more but in the history of the server's own workflow of the schedule. */
  readonly isInHistory: boolean;
  /** What is still under the key, and why; undefined when nothing is. */
  readonly remains: string | undefined;
}

/** The server's own workflow of a schedule, and the signal that it takes. */
const SCHEDULER = 'temporal-sys-scheduler:';
const CONTINUE_AS_NEW = 'force-continue-as-new';
const IDENTITY = 'codec-server reencrypt';

const SCHEDULE = 1;
const MEMO = 3;
const CONFLICT_TOKEN = 5;
/** Parts of a schedule that must not change. */
const SPEC = 1;
const POLICIES = 3;
const ATTEMPTS = 3;
const EVENTS_PAGE = 1_000;
/** A schedule of the server's own workflow takes an update when its workflow next runs. */
const TAKES_MS = [50, 100, 200, 400, 800, 1_600, 3_200, 6_400];

/** A schedule changed in a way that was not asked for. The message is one sentence. */
export class ScheduleChangedError extends Error {
  override readonly name = 'ScheduleChangedError';
}

/** Encrypts schedules again. */
export class ScheduleReencryption {
  readonly #api: TemporalApi;
  readonly #namespace: string;
  readonly #from: string;
  readonly #codec: LocalCodec;

  constructor(api: TemporalApi, namespace: string, from: string, codec: LocalCodec) {
    this.#api = api;
    this.#namespace = namespace;
    this.#from = from;
    this.#codec = codec;
  }

  /**
   * @param isDryRun changes nothing
   * @throws GrpcError, DecoderError, ScheduleChangedError
   */
  async run(id: string, isDryRun: boolean): Promise<ScheduleOutcome> {
    let most = 0;
    for (let attempt = 1; ; attempt++) {
      const before = await this.#describe(id);
      const schedule = before.bytes(SCHEDULE);
      const memo = before.bytes(MEMO);
      const found = this.#count(schedule) + this.#count(memo);
      most = Math.max(most, found);
      if (found === 0) return await this.#withoutAny(id, most, isDryRun);
      if (isDryRun) return { id, found, changed: 0, isInHistory: false, remains: undefined };
      const newSchedule = await this.#reencrypted(schedule);
      const newMemo = await this.#reencrypted(memo);
      const token = before.bytes(CONFLICT_TOKEN);
      try {
        await this.#update(id, newSchedule, token, newMemo === memo ? undefined : newMemo);
      } catch (error) {
        const isConflict = error instanceof GrpcError && error.code === GRPC.failedPrecondition;
        if (!isConflict || attempt === ATTEMPTS) throw error;
        continue;
      }
      const after = await this.#afterwards(id, newSchedule, token);
      if (after === undefined) {
        if (attempt < ATTEMPTS) continue;
        throw new ScheduleChangedError(
          `The schedule ${id} was updated, and its server still shows it as it was: somebody else may be changing it.`,
        );
      }
      await this.#beginAnew(id);
      this.#checkUnchanged(id, schedule, after.bytes(SCHEDULE));
      const left = this.#count(after.bytes(SCHEDULE));
      const inMemo = this.#count(after.bytes(MEMO));
      const remains = [
        left > 0 ? `${left} in its action, which could not be opened or lies inside other payloads` : '',
        inMemo > 0
          ? `${inMemo} in its memo, which this server does not change: delete the schedule and make it anew`
          : '',
      ].filter((it) => it !== '');
      return {
        id,
        found,
        changed: found - left - inMemo,
        isInHistory: false,
        remains: remains.length === 0 ? undefined : remains.join('; '),
      };
    }
  }

  /**
   * Nothing is under the key, at once or since the answer to an update was lost. A run that was ended between
   * the update and what follows it has left what the schedule was in the history of its workflow.
   */
  async #withoutAny(id: string, changed: number, isDryRun: boolean): Promise<ScheduleOutcome> {
    const isInHistory = await this.#isInHistory(id);
    if (isInHistory && !isDryRun) await this.#beginAnew(id);
    return { id, found: changed, changed, isInHistory, remains: undefined };
  }

  async #isInHistory(id: string): Promise<boolean> {
    const execution = message([1, `${SCHEDULER}${id}`]);
    const asked = [
      [1, this.#namespace],
      [2, execution],
      [3, EVENTS_PAGE],
    ] as const;
    try {
      for await (const { bytes } of this.#api.pages('GetWorkflowExecutionHistory', asked, [4, 3]))
        if (this.#count(bytes) > 0) return true;
    } catch (error) {
      // Other servers keep no workflow for a schedule.
      if (!(error instanceof GrpcError && error.code === GRPC.notFound)) throw error;
    }
    return false;
  }

  async #describe(id: string): Promise<Message> {
    const { message: answer } = await this.#api.call('DescribeSchedule', message([1, this.#namespace], [2, id]));
    return answer;
  }

  /** Payloads under the key, those inside others included. */
  #count(bytes: Buffer): number {
    const stretch = walkWire(bytes);
    let count = 0;
    if (stretch !== undefined)
      examineStretch(stretch, '', [], (_place, { keys }) => {
        if (keys.some((key) => isSameKeyName(key, this.#from))) count++;
      });
    return count;
  }

  async #reencrypted(bytes: Buffer): Promise<Buffer> {
    const stretch = walkWire(bytes);
    if (stretch === undefined) return bytes;
    const replaced = await Promise.all(stretch.payloads.map(({ payload }) => this.#payload(payload)));
    return replaced.every((it) => it === undefined) ? bytes : stretch.render(replaced);
  }

  async #payload(payload: Payload | undefined): Promise<Payload | undefined> {
    if (payload === undefined || !describePayload(payload).keys.some((key) => isSameKeyName(key, this.#from)))
      return undefined;
    const [decoded] = await this.#codec.decode([payload]);
    if (decoded === undefined || 'closed' in decoded) return undefined;
    const [encoded] = await this.#codec.encode([decoded.payload], this.#namespace);
    if (encoded === undefined || describePayload(encoded).keys.some((key) => isSameKeyName(key, this.#from)))
      throw new ScheduleChangedError(`The key that writes is still ${this.#from}: make another one current first.`);
    return encoded;
  }

  /** With the memo where the server takes one, and else without. */
  async #update(id: string, schedule: Buffer, token: Buffer, memo: Buffer | undefined): Promise<void> {
    const request = (withMemo: boolean) =>
      message(
        [1, this.#namespace],
        [2, id],
        [3, schedule],
        [4, token],
        [5, IDENTITY],
        [6, randomUUID()],
        [8, withMemo ? memo : undefined],
      );
    if (memo !== undefined) {
      try {
        await this.#api.call('UpdateSchedule', request(true));
        return;
      } catch (error) {
        if (!(error instanceof GrpcError)) throw error;
      }
    }
    await this.#api.call('UpdateSchedule', request(false));
  }

  /**
   * A schedule that the server runs as a workflow keeps what it was in that workflow's history, which is
   * open as long as the schedule is there: told to continue as new, it leaves that to retention.
   */
  async #beginAnew(id: string): Promise<void> {
    const workflow = message([1, `${SCHEDULER}${id}`]);
    const request = message(
      [1, this.#namespace],
      [2, workflow],
      [3, CONTINUE_AS_NEW],
      [5, IDENTITY],
      [6, randomUUID()],
    );
    try {
      await this.#api.call('SignalWorkflowExecution', request);
    } catch (error) {
      // Other servers keep no workflow for a schedule, and nothing has to go.
      if (!(error instanceof GrpcError && error.code === GRPC.notFound)) throw error;
    }
  }

  /**
   * What the server says of the schedule when it has taken the update; undefined when it has not. A schedule of
   * the server's own workflow drops an update without a word when somebody else's came first.
   */
  async #afterwards(id: string, expected: Buffer, token: Buffer): Promise<Message | undefined> {
    for (const ms of TAKES_MS) {
      const answer = await this.#describe(id);
      if (this.#count(answer.bytes(SCHEDULE)) <= this.#count(expected)) return answer;
      if (!answer.bytes(CONFLICT_TOKEN).equals(token)) return undefined;
      await wait(ms);
    }
    return undefined;
  }

  #checkUnchanged(id: string, before: Buffer, after: Buffer): void {
    for (const part of [SPEC, POLICIES])
      if (Buffer.compare(fieldOf(before, part), fieldOf(after, part)) !== 0)
        throw new ScheduleChangedError(
          `The spec or the policies of the schedule ${id} are not what they were: look at it, somebody else may have changed it meanwhile.`,
        );
  }
}

function fieldOf(schedule: Buffer, part: number): Buffer {
  return new Message(schedule).bytes(part);
}
