/** What the rows of the table stand on: Temporal with two namespaces, KMS, a keyring, and one process of the worker under test. */
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import type { PayloadCodec } from '@temporalio/common';
import { createPayloadCodec } from '../../../codec/index.ts';
import { formatKeyring, type Keyring, newKeyring, withNewKey } from '../../../codec/keys/keyring/keyring.ts';
import { createKms } from '../../../codec/keys/kms/kms.ts';
import { createKmsDataKeys } from '../../../codec/keys/worker-keys.ts';
import type { PayloadCodecOptions } from '../../../codec/payload-codec.ts';
import { KmsStandIn } from '../../support/kms-stand-in.ts';
import { until } from '../../support/patience.ts';
import { artifactRoot } from '../support/paths.ts';
import { type Running, runOrThrow, start } from '../support/processes.ts';
import { temporal } from '../support/proto.ts';
import { startTemporal, type Temporal } from '../support/temporal.ts';
import { temporalCli } from '../support/tools.ts';
import { dataConverterWith } from '../support/worker.ts';
import { type FaultCell, faultCells } from './faults.ts';
import type { Language } from './languages.ts';

/** The namespace of the rows, and the one at the other end of Nexus. */
export const NAMESPACE = 'orders-prod.a1b2c';
export const OTHER = 'billing-prod.a1b2c';

/** An element of `WORKERS`: see README.md. */
export interface WorkerSettings {
  readonly address: string;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly keys: { readonly keyring: string } | { readonly kms: { write: string; read?: readonly string[] } } | null;
  readonly alsoDecode?: readonly string[];
  readonly plaintext?: 'accept' | 'refuse';
  readonly timeoutMs?: number;
  readonly writeMessages?: number;
}

/**
 * Milliseconds after which the workers of the fault rows give a call up: far more than the slow answer takes, and less than
 * the ten seconds after which Temporal gives a task to somebody else.
 */
export const CALL_TIMEOUT = 6000;

export class World {
  readonly temporal: Temporal;
  readonly kms: KmsStandIn;
  readonly cells: readonly FaultCell[];
  /** A key that never fails, and the one of {@link OTHER}. */
  readonly key: string;
  readonly otherKey: string;
  readonly keyringFile: string;
  /** As the worker finds it first, and with the key that rotation adds. */
  readonly keyring: Keyring;
  readonly rotated: Keyring;
  readonly #language: Language;
  readonly #connection: Connection;
  readonly #running: Running[] = [];

  private constructor(language: Language, server: Temporal, kms: KmsStandIn, connection: Connection) {
    this.#language = language;
    this.temporal = server;
    this.kms = kms;
    this.#connection = connection;
    this.cells = faultCells(kms);
    this.key = kms.createKey();
    this.otherKey = kms.createKey();
    mkdirSync(artifactRoot, { recursive: true });
    this.keyringFile = join(mkdtempSync(join(artifactRoot, 'languages-')), 'keyring.json');
    this.keyring = newKeyring('before-rotation');
    this.rotated = withNewKey(this.keyring, 'after-rotation');
    this.writeKeyring(this.keyring);
  }

  static async make(language: Language): Promise<World> {
    const server = await startTemporal([NAMESPACE, OTHER]);
    const kms = await KmsStandIn.start();
    const endpoint = ['--name', 'table', '--target-namespace', OTHER, '--target-task-queue', 'nexus'];
    await runOrThrow(await temporalCli(), [
      'operator',
      'nexus',
      'endpoint',
      'create',
      '--address',
      server.address,
      ...endpoint,
    ]);
    return new World(language, server, kms, await Connection.connect({ address: server.address }));
  }

  writeKeyring(keyring: Keyring): void {
    writeFileSync(this.keyringFile, formatKeyring(keyring));
    chmodSync(this.keyringFile, 0o600);
  }

  /** Every key of the stand-in that a worker or client may have to read. */
  get arns(): string[] {
    return [this.key, this.otherKey, ...this.cells.map(({ arn }) => arn)];
  }

  /** Starts the program of the language with these workers. */
  async startWorkers(
    workers: readonly Omit<WorkerSettings, 'address'>[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Running> {
    const [program, ...args] = await this.#language.command();
    const running = await start(program, args, {
      env: {
        AWS_ENDPOINT_URL_KMS: this.kms.endpoint,
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_REGION: 'eu-central-1',
        ...env,
        WORKERS: JSON.stringify(workers.map((worker) => ({ address: this.temporal.address, ...worker }))),
      },
      ready: /^READY$/m,
    });
    this.#running.push(running);
    return running;
  }

  /** A client that writes under a KMS key and reads under all. */
  clientOfKms(write: string, options: Partial<PayloadCodecOptions> = {}): Client {
    const pairings = [{ namespaces: ['*'], write, read: this.arns }];
    const source = createKmsDataKeys({
      pairings,
      cache: options.cache ?? {},
      kms: createKms({ client: this.kms.client }),
    });
    return this.#client({ ...options, keys: { source } });
  }

  /** A client of a keyring, which is written to a file of its own. */
  clientOfKeyring(keyring: Keyring, options: Partial<PayloadCodecOptions> = {}): Client {
    const file = join(mkdtempSync(join(artifactRoot, 'languages-')), 'keyring.json');
    writeFileSync(file, formatKeyring(keyring), { mode: 0o600 });
    return this.#client({ ...options, keys: { keyring: file } });
  }

  /** A client that encrypts nothing. */
  plainClient(namespace: string = NAMESPACE): Client {
    return new Client({ connection: this.#connection, namespace });
  }

  #client(options: Partial<PayloadCodecOptions> & Pick<PayloadCodecOptions, 'keys'>): Client {
    const codec = createPayloadCodec({ namespace: NAMESPACE, alsoDecode: [OTHER], ...options });
    // Without the SDK's context, by which it would refuse to write what the row of the wrong namespace needs.
    const blind: PayloadCodec = {
      encode: async (payloads) => await codec.encode(payloads),
      decode: async (payloads) => await codec.decode(payloads),
    };
    return new Client({
      connection: this.#connection,
      namespace: NAMESPACE,
      dataConverter: dataConverterWith(blind),
    });
  }

  async stop(): Promise<void> {
    for (const running of this.#running) await running.stop();
    await this.#connection.close();
    await this.kms.close();
    await this.temporal.stop();
  }
}

/** A history as the client fetches it: as Temporal has stored it. */
type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;

/** In which forms a text stands in a history as Temporal stores it: as it is, or in base64. */
export function tracesOf(history: History, text: string): string[] {
  const bytes = Buffer.from(temporal.api.history.v1.History.encode(history).finish());
  const haystacks = [
    bytes.toString('latin1'),
    JSON.stringify(temporal.api.history.v1.History.toObject(history as never, { bytes: String })),
  ];
  const found: string[] = [];
  if (haystacks.some((haystack) => haystack.includes(text))) found.push('text');
  if (haystacks.some((haystack) => base64Cores(text).some((core) => haystack.includes(core)))) found.push('base64');
  return found;
}

/** What base64 makes of a text in the middle of others: three possibilities, without the characters that its neighbors share. */
function base64Cores(text: string): string[] {
  return [0, 1, 2].map((shift) => {
    const encoded = Buffer.from(`${'x'.repeat(shift)}${text}`).toString('base64');
    return encoded.slice(Math.ceil((shift * 4) / 3), -4);
  });
}

/** The failures of workflow tasks in a history, as anybody reads them. */
export function taskFailures(history: History): string[] {
  return (history.events ?? []).flatMap(({ workflowTaskFailedEventAttributes: failed }) => {
    const texts: string[] = [];
    for (let failure = failed?.failure; failure; failure = failure.cause) texts.push(failure.message ?? '');
    return failed ? [texts.join(': ')] : [];
  });
}

/** The text of a readable workflow-task failure, as soon as there is one. */
export async function firstTaskFailure(handle: WorkflowHandle): Promise<string> {
  return await until(async () => taskFailures(await handle.fetchHistory())[0], 'no workflow task has failed');
}

/** Whether a workflow is still running. */
export async function isRunning(handle: WorkflowHandle): Promise<boolean> {
  return (await handle.describe()).status.name === 'RUNNING';
}
