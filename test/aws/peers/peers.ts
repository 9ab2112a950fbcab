/**
 * The codecs in other languages, as programs that encode or decode a list of payloads from
 * stdin to stdout. Each says what is missing when it cannot be built here.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Payload } from '../../../codec/payload.ts';
import { readPayloads } from '../../../lambda/server/http/payload-json-reader.ts';
import { writePayloads } from '../../../lambda/server/http/responses.ts';
import { cacheRoot, goEnvironment, mavenOptions } from '../../support/caches.ts';
import { pythonTools } from '../../support/python.ts';
import { retried } from '../../support/retried.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
type Environment = Readonly<Record<string, string>>;

/** Which key a peer uses. */
export type PeerKey = { readonly kms: string } | { readonly keyring: string } | { readonly secret: string };

/** A codec in another language. */
export interface Peer {
  readonly name: string;
  /** Builds or installs it and answers how to start it; slow the first time. */
  prepare(): Promise<readonly string[]>;
}

/** What a peer is to do. */
export interface Task {
  readonly operation: 'encode' | 'decode';
  readonly namespace: string;
  readonly key: PeerKey;
  readonly payloads: readonly Payload[];
  /** Whether to encode with the suite that also signs, 0x0578. */
  readonly signed?: boolean;
}

/** Has a peer encode or decode. @throws Error with what the peer wrote to stderr */
export async function ask(peer: Peer, task: Task, environment: Environment = {}): Promise<readonly Payload[]> {
  const [file = '', ...args] = await peer.prepare();
  const all = [
    ...args,
    task.operation,
    task.namespace,
    ...Object.entries(task.key).flat(),
    ...(task.signed ? ['signed'] : []),
  ];
  const answer = await run(file, all, writePayloads(task.payloads), environment);
  return readPayloads(answer, 1000);
}

async function run(file: string, args: readonly string[], input: string | Buffer, more: Environment): Promise<Buffer> {
  const child = spawn(file, args, { env: { ...process.env, ...more }, stdio: ['pipe', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  const complaints: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk));
  child.stdin.end(input);
  const code = await new Promise<number | null>((done, failed) => {
    child.on('error', failed);
    child.on('close', done);
  });
  if (code !== 0) throw new Error(`${file} ended with ${code}: ${Buffer.concat(complaints)}`);
  return Buffer.concat(output);
}

export const python: Peer = {
  name: 'Python',
  prepare: async () => [join(await pythonTools(), 'python'), join(ROOT, 'test/aws/peers/python_peer.py')],
};

export const java: Peer = {
  name: 'Java',
  prepare: once(async () => {
    const classpathFile = join(cacheRoot, 'java-classpath');
    const classes = join(cacheRoot, 'java-peer');
    const library = join(ROOT, 'workers/java');
    const maven = ['-q', '-B', ...mavenOptions, '-f', join(library, 'pom.xml')];
    const goals = ['compile', 'dependency:build-classpath', `-Dmdep.outputFile=${classpathFile}`];
    await tool('mvn', [...maven, ...goals], 'Maven with a JDK 17, and Maven Central');
    const classpath = [join(library, 'target/classes'), readFileSync(classpathFile, 'utf8'), classes].join(delimiter);
    mkdirSync(classes, { recursive: true });
    await tool('javac', ['-d', classes, '-cp', classpath, join(ROOT, 'test/aws/peers/JavaPeer.java')], 'a JDK 17');
    return ['java', '-cp', classpath, 'JavaPeer'];
  }),
};

const goPeer = once(async () => {
  const program = join(cacheRoot, 'go-peer');
  const source = join(ROOT, 'test/aws/peers/go');
  await tool(
    'go',
    ['build', '-o', program, '.'],
    'Go as test/aws/peers/go/go.mod names it, and its module proxy',
    source,
    goEnvironment,
  );
  return [program];
});

/** The official AWS Encryption SDK for Go. */
export const go: Peer = { name: 'Go', prepare: async () => [...(await goPeer()), 'official'] };

/** The library of workers/go, which writes no signed messages. */
export const goLibrary: Peer = { name: 'Our library for Go', prepare: async () => [...(await goPeer()), 'library'] };

/** Several tests wait for one build. */
function once(build: () => Promise<readonly string[]>): () => Promise<readonly string[]> {
  let built: Promise<readonly string[]> | undefined;
  return () => {
    built ??= build();
    return built;
  };
}

async function tool(
  file: string,
  args: readonly string[],
  what: string,
  cwd = ROOT,
  env: Environment = {},
): Promise<void> {
  const options = { cwd, env: { ...process.env, ...env }, maxBuffer: 64 * 1024 * 1024 };
  try {
    // It fetches what it needs.
    await retried(() => promisify(execFile)(file, args, options));
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: unknown; stdout?: string; stderr?: string };
    const said = code === 'ENOENT' ? `${file} is not on the PATH` : `${stdout}${stderr}`.slice(-2000);
    throw new Error(`This suite needs ${what}. ${said}`);
  }
}
