/** Histories as Temporal writes them, of any length, with payloads that a codec has encrypted. */
import type { Payload as TemporalPayload } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { EncryptingPayloadCodec } from '../../codec/payload-codec.ts';

const { History } = proto.temporal.api.history.v1;
const { EventType } = proto.temporal.api.enums.v1;

export type History = ReturnType<typeof History.decode>;

/**
 * A history of one workflow: started, activities, completed. Six payloads in ten events.
 *
 * @param events how many, about
 * @param bytes of each payload's text
 */
export async function historyOf(
  codec: Pick<EncryptingPayloadCodec, 'encode'>,
  events: number,
  bytes = 100,
  name = 'order',
): Promise<History> {
  const payloads = await codec.encode(
    Array.from({ length: Math.ceil(events * 0.6) + 4 }, (_, i) => plain(`${name} ${i}`, bytes)),
  );
  let next = 0;
  const take = () => ({ payloads: [payloads[next++ % payloads.length] as TemporalPayload] });
  const list: object[] = [
    {
      eventType: EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
      workflowExecutionStartedEventAttributes: {
        workflowType: { name },
        workflowId: name,
        input: take(),
        memo: { fields: { note: take().payloads[0] } },
      },
    },
  ];
  while (list.length < events - 1)
    list.push(
      {
        eventType: EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
        activityTaskScheduledEventAttributes: {
          activityId: `${list.length}`,
          activityType: { name: 'charge' },
          input: take(),
        },
      },
      {
        eventType: EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED,
        activityTaskStartedEventAttributes: { identity: 'worker' },
      },
      {
        eventType: EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
        activityTaskCompletedEventAttributes: { result: take() },
      },
    );
  list.push({
    eventType: EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
    workflowExecutionCompletedEventAttributes: { result: take() },
  });
  const eventTime = { seconds: 1_790_000_000 };
  return History.fromObject({ events: list.map((event, i) => ({ eventId: i + 1, eventTime, ...event })) }) as History;
}

function plain(text: string, bytes: number): TemporalPayload {
  const data = Buffer.from(JSON.stringify({ text, filler: 'x'.repeat(bytes) }));
  return { metadata: { encoding: Buffer.from('json/plain') }, data };
}

/** As `temporal workflow show --output json` prints it. */
export function asCliJson(history: History): string {
  return `${JSON.stringify(withBase64(History.toObject(history, { longs: String, enums: String })), null, 2)}\n`;
}

function withBase64(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(withBase64);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withBase64(inner)]));
}

/** As Temporal Cloud exports histories: `temporal.api.export.v1.WorkflowExecutions`. */
export function asExport(histories: readonly History[]): Buffer {
  return Buffer.concat(histories.map((history) => field(1, field(1, Buffer.from(History.encode(history).finish())))));
}

/** The histories of an export. */
export function readExport(bytes: Buffer): History[] {
  const histories: History[] = [];
  for (let at = 0; at < bytes.length; ) {
    const item = content(bytes, at);
    const history = content(item.bytes, 0);
    histories.push(History.decode(history.bytes));
    at = item.end;
  }
  return histories;
}

function field(number: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2]), varint(value.length), value]);
}

function content(bytes: Buffer, at: number): { bytes: Buffer; end: number } {
  let length = 0;
  let factor = 1;
  let i = at + 1;
  for (; (bytes[i] as number) >= 0x80; i++, factor *= 128) length += ((bytes[i] as number) & 0x7f) * factor;
  length += (bytes[i] as number) * factor;
  return { bytes: bytes.subarray(i + 1, i + 1 + length), end: i + 1 + length };
}

function varint(value: number): Buffer {
  const out: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) out.push((rest % 128) | 0x80);
  return Buffer.from([...out, rest]);
}
