import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { emptyMetadata, type Payload } from '../../../../codec/payload.ts';
import { HttpError } from '../../../../lambda/server/http/message.ts';
import { readPayloads } from '../../../../lambda/server/http/payload-json-reader.ts';
import { writePayloads } from '../../../../lambda/server/http/responses.ts';

const read = (text: string | Uint8Array, most = 1000) => readPayloads(Buffer.from(text as string), most);

function httpErrorOf(text: string | Uint8Array, most?: number): HttpError {
  try {
    read(text, most);
  } catch (error) {
    if (error instanceof HttpError) return error;
    throw error;
  }
  throw new Error('it was read');
}

const bytes = fc.uint8Array({ maxLength: 40 });
const payload: fc.Arbitrary<Payload> = fc
  .record(
    {
      metadata: fc.array(fc.tuple(fc.string({ unit: 'binary', maxLength: 8 }), bytes), { maxLength: 5 }),
      data: bytes,
      sizes: fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { minLength: 1, maxLength: 3 }),
    },
    { requiredKeys: ['metadata', 'data'] },
  )
  .map(({ metadata, data, sizes }) => ({
    metadata: Object.assign(emptyMetadata(), Object.fromEntries(metadata)),
    data,
    ...(sizes === undefined ? {} : { externalPayloads: sizes.map((sizeBytes) => ({ sizeBytes })) }),
  }));

/** The same meaning, from `JSON.parse` and a check of every type: slow, and easy to believe. */
function oracle(text: string): string[] | undefined {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return undefined;
  }
  try {
    const payloads = object(body)['payloads'] ?? [];
    if (!Array.isArray(payloads)) throw new TypeError();
    return payloads.map((it) => {
      const { metadata, data } = object(it ?? {});
      const entries = Object.entries(object(metadata ?? {})).map(([key, value]) => `${key}=${hex(value)}`);
      return `${entries.sort()} ${hex(data)}`;
    });
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function object(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError();
  return value as Record<string, unknown>;
}

function hex(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(value)) throw new TypeError();
  if (value.endsWith('=') ? value.length % 4 !== 0 : value.length % 4 === 1) throw new TypeError();
  return Buffer.from(value, 'base64').toString('hex');
}

function meaning(payloads: readonly Payload[]): string[] {
  return payloads.map(({ metadata, data }) => {
    const entries = Object.keys(metadata).map((key) => `${key}=${Buffer.from(metadata[key] ?? []).toString('hex')}`);
    return `${entries.sort()} ${Buffer.from(data).toString('hex')}`;
  });
}

/** Texts that are nearly a body, put together of pieces that are right or wrong. */
const nearlyBody = fc
  .array(
    fc.constantFrom(
      ...['{', '}', '[', ']', ':', ',', ' ', '\n', '"payloads"', '"metadata"', '"data"', '"__proto__"', '"a"'],
      ...['"QQ=="', '"QQ"', '"-_8"', '"Q"', '"é"', '"\\u0041"', '"\\x"', 'null', 'true', '1', '-0.5e1', '01', '+1'],
      ...['{"payloads":[', '{"metadata":{', '{"data":"QUJD"}', '"payloads":[{}]', '{}', '[]', ']}', '}]}', '}}'],
    ),
    { maxLength: 14 },
  )
  .map((pieces) => pieces.join(''));

describe('the reader of payloads', () => {
  it('reads back what the writer writes', () => {
    fc.assert(
      fc.property(fc.array(payload, { maxLength: 5 }), (payloads) => {
        const written = writePayloads(payloads);
        const again = read(written);
        expect(meaning(again)).toEqual(meaning(payloads));
        expect(again.map(({ externalPayloads }) => externalPayloads)).toEqual(
          payloads.map(({ externalPayloads }) => externalPayloads),
        );
      }),
    );
  });

  it('agrees with JSON.parse about what is JSON and what it means', () => {
    fc.assert(
      fc.property(nearlyBody, (text) => {
        const expected = oracle(text);
        if (expected === undefined) expect(httpErrorOf(text).status).toBe(400);
        else expect(meaning(read(text))).toEqual(expected);
      }),
      { numRuns: 4000 },
    );
  });

  it('agrees with JSON.parse about any JSON there is, in fields it does not know', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), fc.constantFrom('', ' ', '\n\t'), (json, space) => {
        expect(read(`${space}{"other":${space}${json}${space},"payloads":[{"other":${json}}]}`)).toHaveLength(1);
      }),
    );
  });

  it('agrees with JSON.parse when a character of a body is changed', () => {
    const body = '{"payloads":[{"metadata":{"encoding":"anNvbg=="},"data":"e30=","x":[1.5e-3,"\\n",null]}]}';
    fc.assert(
      fc.property(fc.nat(body.length - 1), fc.string({ unit: 'binary', minLength: 0, maxLength: 2 }), (at, change) => {
        const text = Buffer.from(body.slice(0, at) + change + body.slice(at + 1)).toString();
        const expected = oracle(text);
        if (expected === undefined) expect(httpErrorOf(text).status).toBe(400);
        else expect(meaning(read(text))).toEqual(expected);
      }),
      { numRuns: 4000 },
    );
  });

  it('keeps nothing of the body it was given', () => {
    const body = Buffer.from(writePayloads([{ metadata: emptyMetadata(), data: Buffer.alloc(100, 7) }]));
    const [read] = readPayloads(body, 1);
    body.fill(0);
    expect(read?.data).toEqual(Buffer.alloc(100, 7));
  });

  it('reads a view of a larger memory', () => {
    const memory = new Uint8Array(Buffer.from('xx{"payloads":[{}]}xx'));
    expect(readPayloads(memory.subarray(2, memory.length - 2), 1)).toHaveLength(1);
  });

  it('stops at the payload that is one too many, without reading on', () => {
    expect(read('{"payloads":[{},{}]}', 2)).toHaveLength(2);
    expect(httpErrorOf('{"payloads":[{},{},{} and no JSON', 2).status).toBe(413);
  });

  it.each([
    ['{"payloads":[{},{"data":1}]}', 'payloads[1].data is not a string'],
    ['{"payloads":[{"metadata":{"a":"!"}}]}', 'payloads[0].metadata has a value that is not base64'],
    ['{"payloads":[{"externalPayloads":[{},{"sizeBytes":"x"}]}]}', 'payloads[0].externalPayloads[1].sizeBytes'],
    ['{"payloads":[{"externalPayloads":{}}]}', 'payloads[0].externalPayloads is not an array'],
    ['{"payloads":[true]}', 'payloads[0] is not an object'],
    [`{"payloads":[{"externalPayloads":[${'{},'.repeat(64)}{}]}]}`, 'payloads[0].externalPayloads has more than 64'],
    [
      `{"payloads":[{"metadata":{${Array.from({ length: 257 }, (_, i) => `"k${i}":""`).join()}}}]}`,
      'payloads[0].metadata has more than 256 entries',
    ],
    ['{"a":tru}', 'at byte 5'],
    ['{"a":', 'ends early'],
    ['"payloads"', 'is not a JSON object'],
  ])('says of %s what is wrong and where', (text, message) => {
    expect(httpErrorOf(text).message).toContain(message);
  });

  it('says that a body is not JSON rather than that a payload in it is wrong', () => {
    expect(httpErrorOf('{"payloads":[{"data":7}]').message).toContain('not JSON');
  });

  it.each([
    ['"12"', 12n],
    ['12', 12n],
    ['"-3"', -3n],
    ['1e3', 1000n],
    ['"1.0"', 1n],
    ['null', 0n],
  ])('reads %s as a size', (json, size) => {
    const [payload] = read(`{"payloads":[{"externalPayloads":[{"sizeBytes":${json}}]}]}`);
    expect(payload?.externalPayloads).toEqual([{ sizeBytes: size }]);
  });

  it.each(['"1e400"', '1e19', '"0x10"', '" 1"', '""', 'true', '1.5', '"9223372036854775808"', `"${'0'.repeat(41)}1"`])(
    'does not read %s as a size',
    (json) => {
      expect(httpErrorOf(`{"payloads":[{"externalPayloads":[{"sizeBytes":${json}}]}]}`).status).toBe(400);
    },
  );
});

describe('the writer of payloads', () => {
  it('writes ASCII whatever the keys are, so that a length in characters is one in bytes', () => {
    fc.assert(
      fc.property(fc.array(payload, { maxLength: 3 }), (payloads) => {
        expect(writePayloads(payloads)).toMatch(/^[\x20-\x7e]*$/);
      }),
    );
  });

  it('leaves an empty list of external payloads out', () => {
    const written = writePayloads([{ metadata: emptyMetadata(), data: new Uint8Array(0), externalPayloads: [] }]);
    expect(written).toBe('{"payloads":[{"metadata":{},"data":""}]}');
  });
});
