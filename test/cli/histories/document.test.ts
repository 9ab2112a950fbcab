import { describe, expect, it } from '@jest/globals';
import { type DocumentReport, stretchesOf } from '../../../cli/histories/document.ts';
import { UnreadableDocumentError } from '../../../cli/histories/rewritable.ts';
import { metadataOf, serializePayload } from '../../../codec/payload.ts';

const payload = { metadata: metadataOf({ encoding: 'json/plain' }), data: Buffer.alloc(20, 7) };
const json = JSON.stringify({ metadata: { encoding: 'anNvbi9wbGFpbg==' }, data: 'e30=' });
/** A field of that many bytes with a payload in it, so that a document begins like JSON: a line feed, then a bracket. */
const fieldOf = (bytes: number) => {
  const inner = serializePayload(payload);
  const filler = Buffer.alloc(bytes - inner.length - 4, 1);
  return Buffer.concat([
    Buffer.from([0x0a, bytes, 0x0a, inner.length]),
    inner,
    Buffer.from([0x12, filler.length]),
    filler,
  ]);
};

/** Everything that is told of a document that comes in these pieces. */
async function read(chunks: readonly Buffer[]) {
  const report: DocumentReport = { form: 'empty', documents: 0, notUnderstood: [] };
  const stream = (async function* () {
    yield* chunks;
  })();
  const bytes: Buffer[] = [];
  const places: string[] = [];
  try {
    for await (const stretches of stretchesOf(stream, report))
      for (const stretch of stretches) {
        bytes.push(Buffer.isBuffer(stretch) ? stretch : stretch.raw);
        if (!Buffer.isBuffer(stretch)) places.push(...stretch.payloads.map(({ place }) => place));
      }
  } catch (error) {
    if (!(error instanceof UnreadableDocumentError)) throw error;
    return { form: report.form, problem: error.message };
  }
  return { ...report, places, bytes: Buffer.concat(bytes).toString('latin1') };
}

describe('a document', () => {
  it.each([
    ['JSON', Buffer.from(` \r\n${json}\n${json}`), 'json'],
    ['JSON after a byte order mark', Buffer.from(`\ufeff${json}`), 'json'],
    ['JSON after a line feed', Buffer.from(`\n{\n"a":[${json}]}`), 'json'],
    ['JSON that is a bracket alone', Buffer.from('\n{'), 'json'],
    ['protobuf', fieldOf(0x60), 'protobuf'],
    ['protobuf that begins like an object', fieldOf(0x7b), 'protobuf'],
    ['protobuf that begins like a list', fieldOf(0x5b), 'protobuf'],
    ['UTF-16', Buffer.from('\ufeff{}', 'utf16le'), 'empty'],
    ['white space', Buffer.from('\n \r\n'), 'empty'],
  ])('is told by how it begins wherever its stream is cut: %s', async (_, document, form) => {
    const whole = await read([document]);
    expect(whole.form).toBe(form);
    expect(await read([...document].map((byte) => Buffer.from([byte])))).toEqual(whole);
    for (let cut = 1; cut < document.length; cut++)
      expect(await read([document.subarray(0, cut), document.subarray(cut)])).toEqual(whole);
  });
});
