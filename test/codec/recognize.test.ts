import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { PayloadFormat } from '../../codec/format.ts';
import { ALL_FORMATS, createRecognizer, recognizeAll, recognizeOwn } from '../../codec/formats/all-formats.ts';
import { jsonPlain, payloadOf } from '../support/payloads.ts';

/** A format that knows payloads with a mark in their metadata. */
function marked(name: string): PayloadFormat {
  return {
    name,
    recognize: (payload, namespace) =>
      payload.metadata[name] === undefined
        ? undefined
        : {
            format: `${name} in ${namespace}`,
            boundNamespace: undefined,
            keyRequest: undefined,
            open: () => Buffer.alloc(0),
          },
  };
}

describe('recognizing', () => {
  const recognize = createRecognizer({
    'binary/one': [marked('a'), marked('b')],
    'binary/two': [marked('a')],
    x: [marked('x')],
  });
  const formatOf = (metadata: Record<string, string>) => recognize(payloadOf(metadata, Buffer.alloc(0)), 'ns')?.format;

  it('asks the formats of an encoding in their order', () => {
    expect(formatOf({ encoding: 'binary/one', b: '' })).toBe('b in ns');
    expect(formatOf({ encoding: 'binary/one', b: '', a: '' })).toBe('a in ns');
    expect(formatOf({ encoding: 'binary/two', b: '', a: '' })).toBe('a in ns');
  });

  it('leaves alone what no format knows, and what names no encoding', () => {
    for (const metadata of [
      { encoding: 'binary/two', b: '' },
      { encoding: 'binary/six', a: '' },
      { encoding: 'Binary/one', a: '' },
      { a: '' },
    ])
      expect(formatOf(metadata as Record<string, string>)).toBeUndefined();
  });

  it('compares encodings as bytes: bytes that are not text are not an encoding of ours', () => {
    const payload = { metadata: { encoding: Buffer.from('ff', 'hex') }, data: Buffer.alloc(0) };
    expect(recognize(payload, undefined)).toBeUndefined();
  });

  it('knows seven encodings, and leaves every plain one alone', () => {
    expect(Object.keys(ALL_FORMATS)).toEqual([
      'binary/aws-encryption-sdk',
      'binary/encrypted',
      'awsencriptionsdk/binary/encrypted',
      'binary/zlib',
      'binary/zstd',
      'binary/gzip',
      'binary/snappy',
    ]);
    for (const encoding of [
      'json/plain',
      'json/protobuf',
      'binary/null',
      'binary/plain',
      'binary/protobuf',
      'json/external-storage-reference',
      '',
    ])
      expect(recognizeAll(payloadOf({ encoding }, Buffer.alloc(100)), 'ns')).toBeUndefined();
    expect(recognizeAll(jsonPlain(1), 'ns')).toBeUndefined();
  });

  it('knows what the documentation promises', () => {
    const page = readFileSync(new URL('../../docs/formats.md', import.meta.url), 'utf8');
    for (const encoding of Object.keys(ALL_FORMATS)) expect(page).toContain(`\`${encoding}\``);
  });

  it('takes no format of others for our own', () => {
    for (const encoding of Object.keys(ALL_FORMATS).slice(1))
      expect(recognizeOwn(payloadOf({ encoding }, Buffer.alloc(100)), 'ns')).toBeUndefined();
  });
});
