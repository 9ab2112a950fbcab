/**
 * The example codecs in other languages, as programs that encode or decode a list of payloads from
 * stdin to stdout. Each says what is missing when it cannot be built here.
 */
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import type { Payload } from '../../../codec/payload.ts';
import { readPayloads } from '../../../lambda/http/payload-json-reader.ts';
import { writePayloads } from '../../../lambda/http/payload-json-writer.ts';
import { pythonTools } from '../../support/python.ts';

const ROOT = resolve(import.meta.dirname, '../../..');

type Environment = Readonly<Record<string, string>>;

/** Which key a peer uses. */
export type PeerKey = { readonly kms: string } | { readonly keyring: string };

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
  const key = 'kms' in task.key ? ['kms', task.key.kms] : ['keyring', task.key.keyring];
  const all = [...args, task.operation, task.namespace, ...key, ...(task.signed ? ['signed'] : [])];
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
