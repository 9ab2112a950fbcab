import { describe, expect, it } from '@jest/globals';
import proto from '@temporalio/proto';
import { walkWire } from '../../../cli/histories/wire.ts';
import { jsonPlain, payloadOf } from '../../support/payloads.ts';

const { temporal } = proto;
const History = temporal.api.history.v1.History;

/** What protobufjs knows of a message type. */
interface Type {
  readonly fullName: string;
  readonly fields?: Readonly<Record<string, Field>>;
  readonly nested?: Readonly<Record<string, Type>>;
  fromObject(object: object): object;
  encode(message: object): { finish(): Uint8Array };
}
interface Field {
  readonly name: string;
  readonly map: boolean;
  readonly repeated: boolean;
  readonly partOf: { readonly fieldsArray: readonly Field[] } | null;
  readonly resolvedType: Type | null;
  resolve(): void;
}

const PAYLOAD = '.temporal.api.common.v1.Payload';

/** A message with a payload in every field that can hold one, and how many there are. */
function filled(type: Type, depth = 0): { message: Record<string, unknown>; payloads: number } {
  const message: Record<string, unknown> = {};
  let payloads = 0;
  for (const field of Object.values(type.fields ?? {})) {
    field.resolve();
    const inner = field.resolvedType;
    if (inner?.fields === undefined || depth > 6) continue;
    if (field.partOf?.fieldsArray.some(({ name }) => message[name] !== undefined)) continue;
    const value =
      inner.fullName === PAYLOAD ? { message: jsonPlain(field.name), payloads: 1 } : filled(inner, depth + 1);
    if (value.payloads === 0) continue;
    payloads += field.repeated || field.map ? 2 * value.payloads : value.payloads;
    // The names that a payload has itself are the ones that could be mistaken.
    if (field.map) message[field.name] = { encoding: value.message, metadata: value.message };
    else message[field.name] = field.repeated ? [value.message, value.message] : value.message;
  }
  return { message, payloads };
}

function* typesWithPayloads({ nested = {} }: Pick<Type, 'nested'>): Generator<Type> {
  for (const type of Object.values(nested)) {
    if (type.fields !== undefined && type.fullName !== PAYLOAD && filled(type).payloads > 0) yield type;
    yield* typesWithPayloads(type);
  }
}

describe('payloads in protobuf', () => {
  const api = (proto as unknown as { lookup(path: string): Type }).lookup('temporal.api');

  it('are found in every message type of the API that has any, with no table of types', () => {
    const types = [...typesWithPayloads(api)];
    expect(types.length).toBeGreaterThan(80);
    const wrong = types.flatMap((type) => {
      const { message, payloads } = filled(type);
      const bytes = Buffer.from(type.encode(type.fromObject(message)).finish());
      const walked = walkWire(bytes);
      if (walked?.payloads.length === payloads && walked.notUnderstood.length === 0) return [];
      return [`${type.fullName}: ${walked?.payloads.length} of ${payloads}`];
    });
    expect(wrong).toEqual([]);
  });

  it('are replaced, and every other byte stays, fields that nobody knows included', () => {
    const event = (eventId: number) => ({
      eventId,
      workflowExecutionSignaledEventAttributes: { input: { payloads: [jsonPlain(eventId), jsonPlain('second')] } },
    });
    const before = Buffer.from(History.encode(History.create({ events: [event(1), event(2)] } as never)).finish());
    const unknownField = Buffer.from([0xfa, 0x7f, 3, 1, 2, 3]);
    const bytes = Buffer.concat([before, unknownField]);
    const walked = walkWire(bytes);
    expect(walked?.render([undefined, undefined, undefined, undefined])).toEqual(bytes);
    const large = jsonPlain('x'.repeat(1000));
    const after = walked?.render([undefined, large, undefined, undefined]) as Buffer;
    expect(after.subarray(-unknownField.length)).toEqual(unknownField);
    const read = History.decode(after.subarray(0, -unknownField.length));
    const data = read.events.map(({ workflowExecutionSignaledEventAttributes: it }) =>
      it?.input?.payloads?.map(({ data }) => `${data}`),
    );
    expect(data).toEqual([
      ['1', JSON.stringify('x'.repeat(1000))],
      ['2', '"second"'],
    ]);
  });

  it('are not seen in the bytes of a payload, nor in text that only looks like one', () => {
    const nested = payloadOf({ encoding: 'binary/protobuf' }, Buffer.from('\n\x16\n\bencoding\x12\njson/plain'));
    const bytes = Buffer.from(
      History.encode(
        History.create({
          events: [
            { workflowExecutionSignaledEventAttributes: { signalName: '\n\bencoding', input: { payloads: [nested] } } },
          ],
        } as never),
      ).finish(),
    );
    const walked = walkWire(bytes);
    expect(walked?.payloads.length).toBe(1);
    expect(walked?.notUnderstood.length).toBe(1);
  });

  it('say so of a mark that is in no field', () => {
    for (const bytes of ['\n\x08encoding\x12\x05plain', '\n\n\x08encoding\x12'])
      expect(walkWire(Buffer.from(bytes, 'latin1'))).toMatchObject({ payloads: [], notUnderstood: [''] });
  });

  it('say so of what is deeper than any reader goes, cut off, or lies about its length', () => {
    let deep = Buffer.from(History.encode(History.create({})).finish());
    deep = Buffer.concat([Buffer.from('\n\x18'), Buffer.from('\n\x16\n\bencoding\x12\njson/plain')]);
    for (let i = 0; i < 150; i++) deep = Buffer.concat([Buffer.from([0x1a]), lengthOf(deep), deep]);
    expect(walkWire(deep)).toMatchObject({ payloads: [], notUnderstood: [expect.any(String)] });
    expect(walkWire(deep.subarray(0, -1))).toBeUndefined();
    expect(walkWire(Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]))).toBeUndefined();
    expect(walkWire(Buffer.from([0x0b]))).toBeUndefined();
  });
});

function lengthOf(bytes: Buffer): Buffer {
  return bytes.length < 128
    ? Buffer.from([bytes.length])
    : Buffer.from([(bytes.length & 0x7f) | 0x80, bytes.length >> 7]);
}
