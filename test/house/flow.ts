/**
 * One flow for `npm run house`, in a process of its own: it runs until everything is warm, and then once more while V8
 * counts which functions run. Prints, as JSON, which files and functions of ours those were. Commands run once, cold.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import type { Profiler } from 'node:inspector';
import { Session } from 'node:inspector/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { App } from 'aws-cdk-lib';
import type { Context } from 'aws-lambda';
import { doctor } from '../../cli/doctor.ts';
import { createPayloadCodec } from '../../codec/index.ts';
import { readOrMakeKeyringFile } from '../../codec/keys/keyring/keyring-file.ts';
import dev from '../../environments/dev.ts';
import local from '../../environments/local.ts';
import { httpApiEvents } from '../../lambda/api-gateway.ts';
import { createLambdaHandler } from '../../lambda/lambda-handler.ts';
import { startLocalServer } from '../../lambda/node/local-server.ts';
import { createAuditLog } from '../../lambda/server/audit/audit.ts';
import { loopbackAuthenticator } from '../../lambda/server/auth/authenticator.ts';
import { createCodecServer } from '../../lambda/server/create-codec-server.ts';
import { LOCAL_LIMITS } from '../../lambda/server/http/message.ts';
import { openIdentity } from '../../lambda/server/open-identity.ts';
import { openServerKeys } from '../../lambda/server/open-keys.ts';
import { addEnvironments } from '../../lib/codec-server-app.ts';
import { start } from '../e2e/support/processes.ts';
import { apiGatewayEvent } from '../support/api-gateway-event.ts';
import { TestCommandIo } from '../support/command-io.ts';
import { HttpsIssuer } from '../support/https-issuer.ts';
import { standInGet } from '../support/https-stand-in.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const OURS = /^(bin|cli|codec|config|environments|lambda|lib)\//;
const ORIGIN = 'http://localhost:8233';
const NAMESPACE = 'default';
const PLAIN = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('"hello"') };

interface Flow {
  readonly run: () => Promise<unknown>;
  readonly close?: () => Promise<unknown>;
  /** How often it runs before it is counted. */
  readonly warmUp: number;
}

const folder = mkdtempSync(join(tmpdir(), 'house-'));
const keyring = join(folder, 'keyring.json');
readOrMakeKeyringFile(keyring);
const codec = createPayloadCodec({ namespace: NAMESPACE, keys: { keyring } });

const host = {
  audit: createAuditLog(() => undefined),
  limits: LOCAL_LIMITS,
  onBug: (error: unknown) => {
    throw error;
  },
};

function openKeys() {
  return openServerKeys({ ...local.keys, keyring: { file: keyring } }, { cwd: folder });
}

async function requestBody(): Promise<string> {
  const [payload] = await codec.encode([PLAIN]);
  const base64 = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString('base64');
  const metadata = { encoding: base64(payload?.metadata?.['encoding']) };
  return JSON.stringify({ payloads: [{ metadata, data: base64(payload?.data) }] });
}

async function localServer() {
  const pipeline = createCodecServer(local, { keys: await openKeys(), authenticator: loopbackAuthenticator }, host);
  return startLocalServer({ pipeline, cors: local.cors, bodyBytes: 1_000_000, port: 0 });
}

function mustHold(text: string | undefined): void {
  if (!text?.includes(Buffer.from('"hello"').toString('base64'))) throw new Error(`not decoded: ${text}`);
}

const FLOWS: Readonly<Record<string, () => Promise<Flow>>> = {
  async 'lambda-decode'() {
    const issuer = await HttpsIssuer.start();
    const { jwksUri } = issuer;
    const identity = {
      issuers: [{ type: 'oidc', issuer: issuer.issuer, jwksUri, audience: 'codec', from: 'authorization' }],
      serviceTokens: null,
    } as const;
    const { authenticator } = await openIdentity(identity, { cwd: folder, httpsGet: standInGet() });
    const people = [{ emailDomain: 'example.com' }];
    const config = {
      ...local,
      identity,
      access: [{ name: 'team', namespaces: ['*'], people, allow: ['decode'] as const }],
    };
    const handler = createLambdaHandler({
      events: httpApiEvents,
      pipeline: createCodecServer(config, { keys: await openKeys(), authenticator }, host),
      onBug: host.onBug,
      onUnknownEvent: host.onBug,
    });
    const token = issuer.token({ email: 'alice@example.com', email_verified: true });
    const headers = { 'content-type': 'application/json', 'x-namespace': NAMESPACE, authorization: `Bearer ${token}` };
    const event = apiGatewayEvent({ headers, body: await requestBody() });
    const context = { awsRequestId: 'house', getRemainingTimeInMillis: () => 10_000 } as Context;
    return { warmUp: 5, run: async () => mustHold((await handler(event, context)).body), close: () => issuer.close() };
  },
  async 'local-decode'() {
    const server = await localServer();
    const headers = { 'content-type': 'application/json', 'x-namespace': NAMESPACE, origin: ORIGIN };
    const request = { method: 'POST', headers, body: await requestBody() };
    const run = async () => mustHold(await (await fetch(`http://127.0.0.1:${server.port}/decode`, request)).text());
    return { warmUp: 5, run, close: () => server.close() };
  },
  async 'worker-encode'() {
    return { warmUp: 5, run: async () => codec.encode([PLAIN]) };
  },
  async synth() {
    const context = { 'aws:cdk:bundling-stacks': [] };
    const run = async () => {
      const app = new App({ outdir: join(folder, 'cdk.out'), context });
      addEnvironments(app, [{ name: 'dev', file: join(ROOT, 'environments/dev.ts'), config: dev }]);
      app.synth();
    };
    return { warmUp: 0, run };
  },
  async doctor() {
    // What it examines may be anybody's server: ours is in a process of its own, and none of the way.
    const program = [join(ROOT, 'bin/codec-server.ts'), 'start', '--port', '0', '--no-audit'];
    const server = await start(process.execPath, program, { cwd: folder, ready: 'Ctrl-C stops it.' });
    const argv = [/http:\S+/.exec(server.output())?.[0] ?? '', '--origin', ORIGIN];
    const run = () => doctor(argv, new TestCommandIo({ cwd: folder }));
    return { warmUp: 0, run, close: () => server.stop() };
  },
};

/** What ran of one file: the names of its functions, in the order of the file, and how often each was called. */
interface Walked {
  readonly file: string;
  readonly calls: readonly (readonly [name: string, calls: number])[];
}

async function walk({ run, warmUp }: Flow): Promise<Walked[]> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  for (let turn = 0; turn < warmUp; turn++) await run();
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  // On a busy machine a second may have passed, after which a file is looked at again: the shortest way counts.
  const ways: Walked[][] = [];
  for (let turn = 0; turn < (warmUp === 0 ? 1 : 3); turn++) {
    await session.post('Profiler.takePreciseCoverage');
    await run();
    ways.push(walkedIn((await session.post('Profiler.takePreciseCoverage')).result));
  }
  const functionsIn = (way: readonly Walked[]): number => way.reduce((sum, { calls }) => sum + calls.length, 0);
  return ways.reduce((some, other) => (functionsIn(other) < functionsIn(some) ? other : some));
}

function walkedIn(coverage: readonly Profiler.ScriptCoverage[]): Walked[] {
  return coverage
    .filter(({ url }) => url.startsWith('file:') && OURS.test(fileURLToPath(url).slice(ROOT.length)))
    .map(({ url, functions }) => ({
      file: fileURLToPath(url).slice(ROOT.length),
      calls: functions
        .map(({ functionName, ranges: [whole] }) => [functionName || '(anonymous)', whole?.count ?? 0] as const)
        .filter(([, calls]) => calls > 0),
    }))
    .filter(({ calls }) => calls.length > 0)
    .sort((a, b) => a.file.localeCompare(b.file));
}

const make = FLOWS[process.argv[2] ?? ''];
if (make === undefined) throw new Error(`name a flow: ${Object.keys(FLOWS).join(', ')}`);
const flow = await make();
process.stdout.write(`${JSON.stringify(await walk(flow))}\n`);
await flow.close?.();
rmSync(folder, { recursive: true });
process.exit();
