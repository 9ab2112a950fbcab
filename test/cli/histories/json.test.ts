import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { walkJson } from '../../../cli/histories/json.ts';
import { JsonScanner } from '../../../cli/histories/json-scanner.ts';
import { cpuMilliseconds } from '../../support/cpu-time.ts';
import { jsonPlain, payloadOf, toJson } from '../../support/payloads.ts';

const other = jsonPlain({ replaced: true });
const walked = (text: string) => {
  const found = walkJson(Buffer.from(text));
  if (found === undefined) throw new Error('no JSON');
  return found;
};
/** The text with every payload replaced. */
const replaced = (text: string) => {
  const found = walked(text);
  return found.render(found.payloads.map(() => other)).toString();
};
const one = toJson(payloadOf({ encoding: 'binary/encrypted', 'encryption-key-id': 'k' }, Buffer.alloc(40)));
const numbered = (bytes: Uint8Array) => ({ ...bytes });

describe('payloads in JSON', () => {
  it('are replaced as they were written, and nothing else changes', () => {
    const rest = { a: [1, 2.5e3, 'é\n', null], z: {} };
    for (const indent of [undefined, 1, 2, '\t'])
      expect(replaced(JSON.stringify({ ...rest, input: { payloads: [one, one] } }, null, indent))).toBe(
        JSON.stringify({ ...rest, input: { payloads: [toJson(other), toJson(other)] } }, null, indent),
      );
    expect(replaced('{ "x" : {"metadata": {"encoding": "YQ=="}, "data": "YQ=="} }')).toBe(
      `{ "x" : {"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "${toJson(other).data}"} }`,
    );
  });

  it('are replaced whatever lines their text is broken into', () => {
    for (const text of ['{"metadata":{"encoding":\n"YQ=="},"data":"YQ=="}', '{"metadata":\n{"encoding":"YQ=="}}'])
      expect(JSON.parse(replaced(text))).toEqual(toJson(other));
  });

  it('keep the form of their bytes and the spelling of their names', () => {
    const bytes = (text: string) => Buffer.from(text);
    const data = Buffer.from(other.data);
    const forms: [object, object][] = [
      [
        { Metadata: { encoding: 'YQ==' }, Data: 'YQ==' },
        { Metadata: { encoding: 'anNvbi9wbGFpbg==' }, Data: toJson(other).data },
      ],
      [
        { metadata: { encoding: numbered(bytes('a/b')) }, data: numbered(bytes('x')) },
        { metadata: { encoding: numbered(bytes('json/plain')) }, data: numbered(data) },
      ],
      [
        { metadata: { encoding: bytes('a/b') }, data: bytes('x') },
        { metadata: { encoding: bytes('json/plain') }, data },
      ],
      [
        { metadata: { encoding: [...bytes('a/b')] }, data: [...bytes('x')] },
        { metadata: { encoding: [...bytes('json/plain')] }, data: [...data] },
      ],
      [
        { metadata: { encoding: 'binary/encrypted' }, data: 'YQ==' },
        { metadata: { encoding: 'json/plain' }, data: { replaced: true } },
      ],
    ];
    for (const [before, after] of forms)
      for (const indent of [undefined, 2])
        expect(replaced(JSON.stringify([before], null, indent))).toBe(JSON.stringify([after], null, indent));
  });

  it('are found wherever a stream is cut', () => {
    const text = JSON.stringify({ 'a"b': [one, { metadata: one, data: { x: one } }], c: 'é', d: one }, null, 2);
    const places = walked(text).payloads.map(({ place }) => place);
    expect(places).toEqual(['["a\\"b"][0]', '["a\\"b"][1].metadata', '["a\\"b"][1].data.x', 'd']);
    const bytes = Buffer.from(text);
    for (let size = 1; size < 40; size++) {
      const scanner = new JsonScanner();
      const pieces = [];
      for (let at = 0; at < bytes.length; at += size) pieces.push(...scanner.push(bytes.subarray(at, at + size)));
      pieces.push(...scanner.end());
      expect(Buffer.concat(pieces.map(({ text }) => text)).equals(bytes)).toBe(true);
      expect(pieces.flatMap((it) => (it.kind === 'object' ? [it.place] : []))).toEqual(places);
    }
  });

  it('are reported where they are in a form that is not known, or in text', () => {
    const wire = Buffer.from('\x1a\x18\n\x16\n\bencoding\x12\njson/plain', 'latin1');
    for (let shift = 0; shift < 3; shift++) {
      const blob = Buffer.concat([
        Buffer.from(shift === 0 ? '' : `\x22${String.fromCharCode(shift)}${'x'.repeat(shift)}`),
        wire,
      ]);
      const found = walked(JSON.stringify({ encodingType: 'ENCODING_TYPE_PROTO3', data: blob.toString('base64') }));
      expect(found.payloads.map(({ place }) => place)).toEqual(['data.3']);
    }
    for (const document of [
      { log: `{"metadata":${JSON.stringify(one.metadata)}}` },
      { id: 1, metadata: { encoding: 'YQ==' } },
      { metadata: { encoding: 'YQ==' }, data: 'YQ==', added: 1 },
      { data: `${JSON.stringify(one)}` },
    ])
      expect([document, walked(JSON.stringify(document)).notUnderstood.length]).toEqual([document, 1]);
  });

  it.each([
    ['"metadata":{"encoding":"YQ=="},"data":"YQ==","data":"Yg=="'],
    ['"data":"YQ==","data":"Yg==","metadata":{"encoding":"YQ=="}'],
    ['"metadata":{"encoding":"YQ=="},"metadata":{"encoding":"Yg=="},"data":"YQ=="'],
    ['"metadata":{"encoding":"YQ=="},"Metadata":{"encoding":"Yg=="},"data":"YQ=="'],
    ['"metadata":{"encoding":"YQ==","encoding":"Yg=="},"data":"YQ=="'],
    ['"metadata":{"encoding":"YQ==","encryption-key-id":"YQ==","encryption-key-id":"Yg=="},"data":"YQ=="'],
    ['"metadata":{"encoding":"YQ==","\\u0065ncoding":"Yg=="},"data":"YQ=="'],
  ])('are reported where a name stands twice, of which one hides the other: %s', (fields) => {
    const { payloads, notUnderstood } = walked(`{"x":{${fields}}}`);
    expect([payloads.length, [...new Set(notUnderstood)]]).toEqual([0, ['x']]);
  });

  it('take no JSON for JSON that JSON.parse does not take', () => {
    for (const text of [
      '{"a":}',
      '[1,]',
      '{"a" 1}',
      '{,}',
      '[1 2]',
      'nul',
      '01',
      '{"a":1',
      '"x',
      '}',
      '{"metadata":{"encoding":"\\x"}}',
    ])
      expect([text, walkJson(Buffer.from(text))]).toEqual([text, undefined]);
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(walked(text).render([]).toString()).toBe(text);
      }),
    );
  });

  it('stay quick when a document is as deep or as full of names as it can be', () => {
    const pieces = ['{"data":', '{"metadata":', '{"metadata":{"encoding":1},"data":', '[{"metadata":{"encoding":'];
    /** The least of three times, so that a busy machine does not count. */
    const timeOf = (size: number): number =>
      Math.min(
        ...[1, 2, 3].map(() =>
          cpuMilliseconds(() => {
            for (const piece of pieces) expect(walkJson(Buffer.from(piece.repeat(size)))).toBeUndefined();
            expect(walkJson(Buffer.from(`"${'\\"'.repeat(12 * size)}"`))).toBeDefined();
          }),
        ),
      );
    // Eight times as much takes about eight times as long, and 64 times when a step looks at all that is above it.
    const few = timeOf(5_000);
    expect(timeOf(40_000)).toBeLessThan(24 * Math.max(few, 5));
  });
});
