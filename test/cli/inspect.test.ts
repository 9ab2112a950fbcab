import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { inspect } from '../../cli/inspect.ts';
import { type Payload, serializePayload } from '../../codec/payload.ts';
import { runCommand } from '../support/command.ts';
import { fromJson, jsonPlain, payloadOf, toJson } from '../support/payloads.ts';

const vectorsOf = (name: string) =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8')).good as {
    producer: string;
    name: string;
    payload: ReturnType<typeof toJson>;
  }[];
const messages = vectorsOf('aws-encryption-sdk-python');
const samples = vectorsOf('samples');
const named = (name: string) => messages.find((it) => it.name === name)?.payload as ReturnType<typeof toJson>;
const KMS_KEY = 'arn:aws:kms:eu-central-1:111122223333:key/1234';

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'inspect-'));
});
afterAll(() => rmSync(cwd, { recursive: true }));

async function inspected(document: unknown) {
  const { code, stdout, stderr } = await runCommand(inspect, ['--json'], { cwd, stdin: JSON.stringify(document) });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as { payloads: Record<string, unknown>[]; summary: Record<string, unknown> };
}

const describeOne = async (payload: Payload) => (await inspected(toJson(payload))).payloads[0];

describe('codec-server inspect', () => {
  it('finds payloads wherever they stand in a history', async () => {
    const history = {
      events: [
        {
          workflowExecutionStartedEventAttributes: {
            input: { payloads: [named('json, 0x0478'), toJson(jsonPlain(1))] },
          },
        },
        { activityTaskFailedEventAttributes: { failure: { encodedAttributes: named('json, 0x0578') } } },
        { memo: { fields: { 'a b': named('unframed') } }, metadata: { encoding: 5 }, header: { metadata: {} } },
      ],
    };
    const { payloads, summary } = await inspected(history);
    expect(payloads.map(({ place, kind, suite }) => [place, kind, suite])).toEqual([
      ['events[0].workflowExecutionStartedEventAttributes.input.payloads[0]', 'encrypted', '0x0478'],
      ['events[0].workflowExecutionStartedEventAttributes.input.payloads[1]', 'plain', undefined],
      ['events[1].activityTaskFailedEventAttributes.failure.encodedAttributes', 'encrypted', '0x0578'],
      ['events[2].memo.fields["a b"]', 'encrypted', '0x0478'],
    ]);
    expect(payloads[0]).toEqual({
      place: expect.any(String),
      kind: 'encrypted',
      format: 'aws-encryption-sdk',
      suite: '0x0478',
      namespace: 'orders-dev.a1b2c',
      keys: ['codec-server/vector-1'],
      size: Buffer.from(named('json, 0x0478').data ?? '', 'base64').length,
      layers: ['aws-encryption-sdk', '?'],
    });
    expect(summary).toEqual({
      payloads: 4,
      kinds: { encrypted: 3, compressed: 0, plain: 1, reference: 0, unknown: 0, unreadable: 0 },
      unknownEncodings: [],
      keys: [
        {
          key: 'codec-server/vector-1',
          payloads: 3,
          onlyThisKey: 3,
          formats: ['aws-encryption-sdk'],
          namespaces: ['orders-dev.a1b2c'],
        },
      ],
    });
  });

  it('counts a payload for every key that opens it, and says which key alone does', async () => {
    const { summary } = await inspected([named('second wrapped key is ours'), named('json, 0x0478')]);
    expect(summary['keys']).toMatchObject([
      { key: 'codec-server/vector-1', payloads: 2, onlyThisKey: 1 },
      { key: 'codec-server/elsewhere', payloads: 1, onlyThisKey: 0 },
    ]);
  });

  it('names the format, the key and the namespace of what others wrote', async () => {
    const data = Buffer.alloc(60);
    const encrypted = (metadata: Record<string, string | Uint8Array>) =>
      describeOne(payloadOf({ encoding: 'binary/encrypted', ...metadata }, data));
    expect(await encrypted({ 'encryption-key-id': 'k' })).toMatchObject({
      format: 'sample',
      keys: ['static/k'],
      suite: 'AES-256-GCM',
    });
    expect(await encrypted({})).toMatchObject({ format: 'sample', keys: ['static/(empty id)'] });
    const uri = `awskms:///${KMS_KEY}?region=eu-central-1`;
    expect(await encrypted({ 'encryption-dek': 'AAAA', 'encryption-key-id': uri })).toMatchObject({
      format: 'temporal-proxy',
      keys: [KMS_KEY],
    });
    const cloudProxy = await encrypted({ 'encrypted-data-key': 'x', 'encryption-key-id': KMS_KEY });
    expect(cloudProxy).toMatchObject({ format: 'temporal-cloud-proxy', keys: [KMS_KEY] });
    expect(cloudProxy).not.toHaveProperty('namespace');
    expect(await encrypted({ data_key_encrypted: 'AAAA' })).toMatchObject({
      format: 'kms-python-sample',
      keys: ['a KMS key it does not name'],
    });
    const stdgo = payloadOf(
      {
        encoding: 'binary/encrypted',
        'encryption-key-id': 'alias/x',
        'encryption-cipher': 'AES_256_GCM',
        'encryption-context-namespace': 'orders',
      },
      Buffer.concat([Buffer.from([0, 0, 0, 1]), Buffer.alloc(40)]),
    );
    expect(await describeOne(stdgo)).toMatchObject({ format: 'stdgo', keys: ['alias/x'], namespace: 'orders' });
  });

  it('never shows an id that is the key itself, as the Java sample writes it', async () => {
    const java = samples.filter(({ producer }) => producer.includes('java')).map(({ payload }) => payload);
    const base64 = payloadOf(
      { encoding: 'binary/encrypted', 'encryption-key-id': Buffer.alloc(32, 7).toString('base64') },
      Buffer.alloc(40),
    );
    const { stdout } = await runCommand(inspect, [], { cwd, stdin: JSON.stringify([...java, toJson(base64)]) });
    expect(stdout).toContain('key static/sha256:2a3046b5');
    expect(stdout).not.toContain('test-key');
    expect(stdout).not.toContain('BwcHBwcH');
  });

  it('looks behind compression, which needs no key', async () => {
    const zlib = (inner: Payload) => payloadOf({ encoding: 'binary/zlib' }, deflateSync(serializePayload(inner)));
    expect(await describeOne(zlib(zlib(jsonPlain(1))))).toMatchObject({
      kind: 'compressed',
      format: 'zlib',
      layers: ['zlib', 'zlib', 'json/plain'],
    });
    expect(await describeOne(zlib(fromJson(named('json, 0x0478'))))).toMatchObject({
      kind: 'encrypted',
      format: 'zlib',
      suite: '0x0478',
      layers: ['zlib', 'aws-encryption-sdk', '?'],
      keys: ['codec-server/vector-1'],
    });
    let nested = jsonPlain(1);
    for (let i = 0; i < 9; i++) nested = zlib(nested);
    expect(await describeOne(nested)).toMatchObject({ kind: 'unreadable', problem: 'it has more than 8 layers' });
  });

  it('goes on after what it cannot read', async () => {
    const broken = payloadOf({ encoding: 'binary/aws-encryption-sdk' }, Buffer.from('no message'));
    const bomb = payloadOf({ encoding: 'binary/zlib' }, deflateSync(Buffer.alloc(70_000_000)));
    const noBase64 = { metadata: { encoding: '!' } };
    const { payloads } = await inspected([toJson(broken), toJson(bomb), noBase64, toJson(jsonPlain(1))]);
    expect(payloads.map(({ kind, format, problem }) => ({ kind, format, problem }))).toEqual([
      { kind: 'unreadable', format: 'binary/aws-encryption-sdk', problem: expect.stringContaining('version 2') },
      { kind: 'unreadable', format: 'zlib', problem: expect.stringContaining('inflates past') },
      { kind: 'unreadable', format: '(unknown)', problem: 'its metadata or data is not base64' },
      { kind: 'plain', format: 'json/plain', problem: undefined },
    ]);
  });

  it('names the algorithm of data that was compressed in a way that is not read', async () => {
    const lz4 = payloadOf({ encoding: 'json/plain', 'compression/algorithm': 'lz4' }, Buffer.from('abc'));
    const { stdout } = await runCommand(inspect, [], { cwd, stdin: JSON.stringify(toJson(lz4)) });
    expect(stdout).toContain('  json/plain, 3 bytes\n  unreadable json/plain: its data is compressed with lz4, which');
  });

  it('prints no control character of a payload, which could rewrite the terminal', async () => {
    const payload = payloadOf(
      { encoding: 'binary/encrypted', 'encryption-key-id': '\u001b[2J\u202ex' },
      Buffer.alloc(40),
    );
    const { stdout } = await runCommand(inspect, [], { cwd, stdin: JSON.stringify({ '\u001b[1m': toJson(payload) }) });
    expect(stdout).toContain('key static/\\u{1b}[2J\\u{202e}x');
    expect(stdout).not.toMatch(/[[\p{Cc}\p{Cf}]--\n]/v);
  });

  it('reads files, several of them, and one document a line', async () => {
    const history = join(cwd, 'a.json');
    writeFileSync(history, JSON.stringify(named('json, 0x0478')));
    writeFileSync(
      join(cwd, 'b.jsonl'),
      `${JSON.stringify(toJson(jsonPlain(1)))}\n${JSON.stringify(named('unframed'))}\n\n`,
    );
    const { stdout } = await runCommand(inspect, ['a.json', 'b.jsonl'], { cwd });
    expect(stdout.split('\n').filter((line) => line.endsWith(']') || line.includes(': ('))).toEqual([
      'a.json: (the document)',
      'b.jsonl: [0]',
      'b.jsonl: [1]',
    ]);
    const summary = await runCommand(inspect, [history, '--summary'], { cwd });
    expect(summary.stdout).toBe(
      '1 payload: 1 encrypted\nKeys that are needed:\n  codec-server/vector-1: 1 (aws-encryption-sdk in orders-dev.a1b2c)\n',
    );
    const json = await runCommand(inspect, [history, '--summary', '--json'], { cwd });
    expect(Object.keys(JSON.parse(json.stdout))).toEqual(['summary']);
  });

  it('shows a history as a person reads it', async () => {
    const { stdout } = await runCommand(inspect, [], {
      cwd,
      stdin: JSON.stringify({ input: named('second wrapped key is ours'), result: toJson(jsonPlain('x')) }),
    });
    expect(stdout).toBe(`input
  aws-encryption-sdk > ?, 0x0478, 433 bytes
  namespace orders-dev.a1b2c
  key codec-server/elsewhere
  key codec-server/vector-1

result
  json/plain, 3 bytes

2 payloads: 1 encrypted, 1 plain
Keys that are needed:
  codec-server/elsewhere: 1, 0 of them by no other key (aws-encryption-sdk in orders-dev.a1b2c)
  codec-server/vector-1: 1, 0 of them by no other key (aws-encryption-sdk in orders-dev.a1b2c)
`);
  });

  it('takes any depth of nesting', async () => {
    const stdin = `${'['.repeat(50_000)}${JSON.stringify(toJson(jsonPlain(1)))}${']'.repeat(50_000)}`;
    expect((await runCommand(inspect, ['--summary'], { cwd, stdin })).stdout).toBe('1 payload: 1 plain\n');
  });

  it.each([
    ['nothing', '', 'standard input is empty'],
    ['no JSON', '{"a":', 'standard input cannot be understood: it is not JSON after its beginning. Use --output json'],
  ])('says so when it gets %s', async (_, stdin, message) => {
    const { code, stderr } = await runCommand(inspect, [], { cwd, stdin });
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });

  it('says so when there is no payload, no file, or wrong usage', async () => {
    expect((await runCommand(inspect, [], { cwd, stdin: '{}' })).stdout).toBe('No payloads found.\n');
    expect((await runCommand(inspect, ['none.json'], { cwd })).stderr).toBe(
      'codec-server inspect: none.json cannot be read (ENOENT).\n',
    );
    expect((await runCommand(inspect, ['--keys'], { cwd })).code).toBe(2);
    expect((await runCommand(inspect, ['--help'], { cwd })).stdout).toContain('Usage: codec-server inspect');
  });

  it.each([
    ['schedule-workflow', 5, 19],
    ['batch-workflow', 0, 12],
    ['bytes-as-index-map', 4, 0],
    ['bytes-as-buffer-json', 4, 0],
    ['go-encoding-json', 4, 0],
  ])('finds every payload of a history, those inside payloads included: %s', async (name, encrypted, plain) => {
    const file = join(import.meta.dirname, '../vectors/histories', `${name}.history.json`);
    const { code, stdout, stderr } = await runCommand(inspect, ['--json', '--strict', file], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout).summary.kinds).toMatchObject({ encrypted, plain, unknown: 0, unreadable: 0 });
  });

  it('takes no payload for plain whose encoding nobody knows', async () => {
    const fernet = toJson(payloadOf({ encoding: 'binary/encrypted-fernet' }, Buffer.from('gAAAA')));
    const stdin = JSON.stringify([fernet, named('json, 0x0478')]);
    const lenient = await runCommand(inspect, ['--summary'], { cwd, stdin });
    expect(lenient.code).toBe(0);
    expect(lenient.stdout).toContain('2 payloads: 1 encrypted, 1 unknown');
    expect(lenient.stderr).toContain(
      '1 of an encoding that is not known here, and may be encrypted: binary/encrypted-fernet.',
    );
    const strict = await runCommand(inspect, ['--summary', '--strict'], { cwd, stdin });
    expect(strict.code).toBe(4);
    expect(strict.stderr).toContain('not proven');
  });

  it('proves nothing of a file without a payload, of a reference, nor of a mark that is not a payload', async () => {
    writeFileSync(join(cwd, 'full.json'), JSON.stringify(named('json, 0x0478')));
    writeFileSync(join(cwd, 'empty.json'), '{"events":[]}');
    const two = await runCommand(inspect, ['full.json', 'empty.json', '--summary', '--strict'], { cwd });
    expect([two.code, two.stderr]).toEqual([4, expect.stringContaining('empty.json: no payloads found.')]);
    const reference = payloadOf({ encoding: 'json/external-storage-reference' }, Buffer.from('{}'));
    const referred = await runCommand(inspect, ['--strict'], { cwd, stdin: JSON.stringify(toJson(reference)) });
    expect([referred.code, referred.stderr]).toEqual([4, expect.stringContaining('1 in external storage')]);
    const strange = { events: [{ id: 1, metadata: { encoding: 'YQ==' }, somethingNew: named('json, 0x0478') }] };
    const marked = await runCommand(inspect, ['--strict'], { cwd, stdin: JSON.stringify(strange) });
    expect([marked.code, marked.stderr]).toEqual([
      4,
      expect.stringMatching(/1 with the mark of a payload .*events\[0\]/),
    ]);
  });

  it("reads the Web UI's readable form, documents one after another, gzip, and folders", async () => {
    const { data } = named('json, 0x0478');
    const readable = {
      result: { metadata: { encoding: 'json/plain' }, data: { deep: { deeper: { deepest: { still: ['x'] } } } } },
      input: { metadata: { encoding: 'binary/aws-encryption-sdk' }, data },
      note: { metadata: { encoding: 'json/plain' }, data: 'a text that is not base64!' },
    };
    const folder = join(cwd, 'folder');
    mkdirSync(join(folder, 'inner'), { recursive: true });
    writeFileSync(join(folder, 'a.json'), `${JSON.stringify(readable)}\n${JSON.stringify(named('unframed'), null, 2)}`);
    writeFileSync(join(folder, 'inner', 'b.json.gz'), gzipSync(JSON.stringify(toJson(jsonPlain(1)))));
    const { stdout, code } = await runCommand(inspect, ['folder', '--strict'], { cwd });
    expect(code).toBe(0);
    expect(stdout.split('\n').filter((line) => line.startsWith('folder'))).toEqual([
      'folder/a.json: [0].result',
      'folder/a.json: [0].input',
      'folder/a.json: [0].note',
      'folder/a.json: [1]',
      'folder/inner/b.json.gz: (the document)',
    ]);
    expect(stdout).toContain('5 payloads: 2 encrypted, 3 plain');
  });
});
