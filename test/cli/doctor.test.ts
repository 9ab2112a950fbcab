import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import type { CommandIo } from '../../cli/command.ts';
import type { Finding } from '../../cli/doctor/report.ts';
import { doctor } from '../../cli/doctor.ts';
import { EXPIRED_TOKEN, type Fault, GOOD_TOKEN, startFaultyCodecServer } from '../support/faulty-codec-server.ts';

async function run(...argv: string[]) {
  let stdout = '';
  let stderr = '';
  const io: CommandIo = {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    stdin: (async function* () {})(),
    env: {},
    cwd: '.',
  };
  return { code: await doctor(argv, io), stdout, stderr };
}

async function examineServer(faults: Fault[], ...argv: string[]) {
  const server = await startFaultyCodecServer(...faults);
  try {
    const { code, stdout } = await run(
      server.url,
      '--json',
      '--token',
      GOOD_TOKEN,
      '--expired-token',
      EXPIRED_TOKEN,
      ...argv,
    );
    const { findings, healthy } = JSON.parse(stdout) as { findings: Finding[]; healthy: boolean };
    // That a server is slow is of the machine that it runs on, and of what else runs there.
    const wrong = findings.filter(
      ({ check, status }) => status === 'failure' || (status === 'warning' && check !== 'latency'),
    );
    return {
      code,
      healthy,
      findings,
      wrong: wrong.map(({ check, status }) => `${status} ${check}`),
      text: JSON.stringify(wrong),
    };
  } finally {
    await server.close();
  }
}

describe('codec-server doctor', () => {
  it('finds nothing wrong with a server in order', async () => {
    const { code, healthy, findings, wrong } = await examineServer([]);
    expect(wrong).toEqual([]);
    expect({ code, healthy }).toEqual({ code: 0, healthy: true });
    expect(findings.filter(({ status }) => status === 'ok').length).toBeGreaterThanOrEqual(17);
  });

  it.each<[Fault, string, string]>([
    ['web-ui', 'failure codec-server', 'its page is'],
    ['another-api', 'failure codec-server', 'without a list of payloads'],
    ['not-found', 'failure codec-server', '404'],
    ['forbidden-in-front', 'failure codec-server', 'Forbidden'],
    ['unavailable-in-front', 'failure codec-server', 'Service Unavailable'],
    ['redirect', 'failure redirect', 'https://elsewhere.example/decode'],
    ['preflight-not-answered', 'failure cors-preflight', 'gets a 405'],
    ['no-cors', 'failure cors-preflight', 'no Access-Control-Allow-Origin'],
    ['wrong-origin', 'failure cors-preflight', 'https://temporal.example'],
    ['origin-with-slash', 'failure cors-preflight', 'without a slash at the end'],
    ['origin-refused', 'failure cors-preflight', 'This origin may not use the codec server'],
    ['origin-refused-behind-gateway', 'failure cors-preflight', 'This origin may not use the codec server'],
    ['no-authorization-extras', 'failure cors-preflight', 'authorization-extras'],
    ['any-origin', 'failure foreign-origin', 'any web site may read'],
    ['echoed-origin', 'failure foreign-origin', 'whatever asks'],
    ['foreign-origin-served', 'warning foreign-origin', 'carried out'],
    ['errors-without-cors', 'failure cors-errors', 'which shows {}'],
    ['no-max-age', 'warning preflight-age', '7200'],
    ['whole-path', 'failure paths', 'slash at the end'],
    ['clock-off', 'failure clock', 'behind'],
    ['auth-off', 'failure anonymous', 'verifies nobody'],
    ['any-token', 'failure foreign-token', 'signature is not verified'],
    ['expired-accepted', 'failure expired-token', 'does not check exp'],
    ['jwks-unreachable', 'failure foreign-token', 'JWKS'],
    ['own-issuer-unreachable', 'failure token', 'such as the issuer whose keys cannot be fetched'],
    ['body-limit-100k', 'failure sizes', '100 kB'],
    ['web-acl', 'failure sizes', 'SizeRestrictions_BODY'],
    ['no-body-limit', 'warning sizes', 'no limit'],
    ['encode-denied', 'failure round-trip', 'ann may not encode'],
    ['external-payloads-lost', 'failure round-trip', 'externalPayloads is lost'],
    ['snake-case', 'failure round-trip', 'snake_case'],
    ['encode-passes-through', 'failure round-trip', 'unencrypted'],
    ['payload-dropped', 'failure answer-form', 'dropped or added'],
    ['extra-field', 'failure answer-form', 'took'],
    ['url-safe-base64', 'failure answer-form', 'padded base64'],
    ['strict-json', 'warning tolerance', '{} for an empty list'],
    ['not-ready', 'failure keys', 'cannot use its keys'],
    ['storable', 'warning no-store', 'no-store'],
    ['get-served', 'warning method', 'GET /decode'],
    ['sheds-parallel', 'failure latency', 'parallel requests fail'],
  ])('names the fault %s, once', async (fault, expected, words) => {
    const { code, healthy, wrong, text } = await examineServer([fault]);
    expect(wrong).toEqual([expected]);
    expect(text).toContain(words);
    const failed = expected.startsWith('failure');
    expect({ code, healthy }).toEqual({ code: failed ? 1 : 0, healthy: !failed });
  });

  it('says of a web site that it is one, and nothing about keys or CORS', async () => {
    const { findings } = await examineServer(['web-ui']);
    expect(findings.map(({ check, status }) => `${status} ${check}`)).toEqual([
      'ok address',
      'ok dns',
      'skipped tls',
      'ok reachable',
      'failure codec-server',
      'skipped everything else',
    ]);
  });

  it('goes on as the CLI does where the origin of the page is refused, and names what comes first', async () => {
    const { findings } = await examineServer(['origin-refused']);
    const of = (check: string) => findings.find((finding) => finding.check === check);
    expect(of('round-trip')?.status).toBe('ok');
    expect(of('sizes')?.status).toBe('ok');
    expect(of('cors-errors')).toMatchObject({
      status: 'skipped',
      summary: expect.stringContaining('cors-preflight comes first'),
    });
  });

  it('gives a cause and a fix with everything that is wrong', async () => {
    const { findings } = await examineServer(['no-cors', 'auth-off', 'no-body-limit', 'storable', 'not-ready']);
    for (const finding of findings.filter(({ status }) => status === 'failure' || status === 'warning')) {
      expect(finding.cause).toBeTruthy();
      expect(finding.fix).toBeTruthy();
    }
  });

  it('only warns of a server on this machine that asks nobody, when no token was given either', async () => {
    const server = await startFaultyCodecServer('auth-off');
    const { stdout, code } = await run(server.url);
    await server.close();
    expect(stdout).toMatch(/! anonymous +nobody is asked for a token/);
    expect(stdout).toMatch(/✓ round-trip/);
    expect(code).toBe(0);
  });

  it('takes a warning for a failure when it is asked to be strict', async () => {
    const faults: Fault[] = ['no-max-age'];
    expect((await examineServer(faults)).code).toBe(0);
    expect(await examineServer(faults, '--strict')).toMatchObject({ code: 1, healthy: false });
    expect(await examineServer([], '--strict')).toMatchObject({ code: 0, healthy: true });
  });

  it('skips what needs a token when it has none, and says so', async () => {
    const server = await startFaultyCodecServer();
    const { stdout, code } = await run(server.url);
    await server.close();
    expect(stdout).toMatch(/– round-trip +needs an accepted --token/);
    expect(code).toBe(0);
  });

  it('recognizes a token that is refused', async () => {
    const server = await startFaultyCodecServer();
    const { stdout, code } = await run(server.url, '--token', 'something-else');
    await server.close();
    expect(stdout).toMatch(/✗ token +the given token is refused/);
    expect(stdout).not.toContain('something-else');
    expect(code).toBe(1);
  });

  it('ends early and says why when nothing listens', async () => {
    const placeholder = createServer();
    const port = await new Promise<number>((resolve) =>
      placeholder.listen(0, '127.0.0.1', () => resolve((placeholder.address() as { port: number }).port)),
    );
    await new Promise((resolve) => placeholder.close(resolve));
    const { stdout, code } = await run(`http://127.0.0.1:${port}`);
    expect(stdout).toMatch(/✗ reachable +no answer \(ECONNREFUSED\)/);
    expect(stdout).toContain('nothing listens');
    expect(code).toBe(1);
  });

  it('refuses plain http on another machine, and a query in the endpoint', async () => {
    const remote = await run('http://codec.invalid/?x=1');
    expect(remote.stdout).toMatch(/✗ address +http:\/\/codec.invalid is plain http/);
    expect(remote.stdout).toMatch(/✗ dns/);
    expect(remote.code).toBe(1);
    const query = await run('https://codec.invalid/?x=1');
    expect(query.stdout).toMatch(/✗ address +the endpoint has a query/);
  });

  it.each([
    [[], 'give the URL'],
    [['localhost:8888'], 'is not an http or https address'],
    [['http://a', 'http://b'], 'one URL at a time'],
    [['http://a', '--no-such'], 'See --help'],
  ])('answers wrong usage %j with one sentence and exit code 2', async (argv, words) => {
    const { code, stderr } = await run(...argv);
    expect(code).toBe(2);
    expect(stderr).toContain(words);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('explains itself', async () => {
    const { code, stdout } = await run('--help');
    expect(code).toBe(0);
    expect(stdout).toContain('codec-server doctor URL');
  });
});
