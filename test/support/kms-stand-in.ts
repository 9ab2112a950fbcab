/**
 * A KMS in this process: it speaks the service's JSON protocol (`TrentService`, JSON 1.1) to the real
 * AWS client over a socket, wraps keys with real AES-GCM bound to the encryption context, knows
 * Regions, aliases and multi-Region replicas, and can be told to fail in every way that KMS does.
 */
import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from './patience.ts';

type KeyState = 'enabled' | 'disabled' | 'pending-deletion' | 'access-denied';

interface StandInKey {
  readonly arn: string;
  readonly id: string;
  readonly region: string;
  readonly material: Buffer;
  state: KeyState;
}

/** One call that arrived. */
export interface KmsCall {
  readonly operation: string;
  /** What the caller gave as `KeyId`. */
  readonly keyId: string | undefined;
  readonly encryptionContext: Readonly<Record<string, string>>;
  /** The Region that the request was signed for. */
  readonly region: string;
}

/** How a call goes wrong. */
export type KmsTrouble =
  /** An exception of KMS by its name. */
  | { readonly exception: string; readonly status?: number }
  | 'throttle'
  /** The right answer, so many milliseconds late. */
  | { readonly delayMs: number }
  /** No answer, and the connection stays open. */
  | 'hang'
  /** The connection is cut. */
  | 'reset'
  /** A 200 whose body is not JSON. */
  | 'garbage'
  /** A 200 that names another key. */
  | 'another-key'
  /** A 200 without a plaintext. */
  | 'empty'
  | 'ok';

/** Text that every error message of the stand-in holds, so that tests can see where messages go. */
export const CANARY = 'canary-text-of-aws';

interface KmsRequest {
  readonly KeyId?: string;
  readonly CiphertextBlob?: string;
  readonly Plaintext?: string;
  readonly NumberOfBytes?: number;
  readonly KeySpec?: string;
  readonly EncryptionContext?: Record<string, string>;
}

class KmsException extends Error {
  readonly type: string;
  readonly status: number;
  constructor(type: string, status = 400) {
    super(type);
    this.type = type;
    this.status = status;
  }
}

const ACCOUNT = '111122223333';

export class KmsStandIn {
  readonly calls: KmsCall[] = [];
  /** Milliseconds that every answer takes. */
  latencyMs = 0;
  /** Calls that have to have been under way at once before any is answered. */
  together = 0;
  /** Asked for every call: what goes wrong with it. */
  trouble: (call: KmsCall) => KmsTrouble = () => 'ok';
  /** The plaintext of every data key that was handed out, as base64. */
  readonly plaintexts: string[] = [];
  /** The most calls that were under way at once. */
  mostAtOnce = 0;
  readonly #keys: StandInKey[] = [];
  readonly #aliases = new Map<string, string>();
  readonly #server: Server;
  #underWay = 0;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  static async start(): Promise<KmsStandIn> {
    const standIn = new KmsStandIn();
    await new Promise<void>((resolve) => {
      standIn.#server.listen(0, '127.0.0.1', resolve);
    });
    return standIn;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What `createKms` needs to reach it. */
  get client() {
    return { endpoint: this.endpoint, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
  }

  /** Makes a key and answers its ARN. */
  createKey({ region = 'eu-central-1', account = ACCOUNT, multiRegion = false } = {}): string {
    const id = multiRegion ? `mrk-${randomBytes(16).toString('hex')}` : randomUUID();
    const arn = `arn:aws:kms:${region}:${account}:key/${id}`;
    this.#keys.push({ arn, id, region, material: randomBytes(32), state: 'enabled' });
    return arn;
  }

  /** Makes a replica of a multi-Region key and answers its ARN. */
  replicate(arn: string, region: string): string {
    const { id, material } = this.#key(arn);
    const replica = arn.replace(/:kms:[^:]+:/, `:kms:${region}:`);
    this.#keys.push({ arn: replica, id, region, material, state: 'enabled' });
    return replica;
  }

  createAlias(alias: string, arn: string): void {
    this.#aliases.set(alias, arn);
  }

  setState(arn: string, state: KeyState): void {
    this.#key(arn).state = state;
  }

  /** Calls that arrived, of one operation or one key if given. */
  count(operation?: 'Decrypt' | 'GenerateDataKey' | 'Encrypt', keyId?: string): number {
    return this.calls.filter(
      (call) => (operation ?? call.operation) === call.operation && (keyId ?? call.keyId) === call.keyId,
    ).length;
  }

  /** Wraps a data key as another writer would, with any context. */
  wrap(arn: string, plaintext: Uint8Array, context: Record<string, string> = {}): Buffer {
    const { material, id } = this.#key(arn);
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', material, iv).setAAD(canonical(context));
    const name = Buffer.from(id);
    return Buffer.concat([
      Buffer.from([name.length]),
      name,
      iv,
      cipher.update(plaintext),
      cipher.final(),
      cipher.getAuthTag(),
    ]);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const operation = String(request.headers['x-amz-target']).replace(/^TrentService\./, '');
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as KmsRequest;
    const region = /Credential=[^/]+\/\d+\/([^/]+)\/kms\//.exec(request.headers.authorization ?? '')?.[1];
    const call: KmsCall = {
      operation,
      keyId: body.KeyId,
      encryptionContext: body.EncryptionContext ?? {},
      region: region ?? '',
    };
    this.calls.push(call);
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#underWay);
    await until(() => this.mostAtOnce >= this.together, 'calls come one after another');
    if (this.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, this.latencyMs));
    const trouble = this.trouble(call);
    if (typeof trouble === 'object' && 'delayMs' in trouble)
      await new Promise((resolve) => setTimeout(resolve, trouble.delayMs));
    try {
      this.#answer(call, body, response, trouble);
    } finally {
      this.#underWay--;
    }
  }

  #answer(call: KmsCall, body: KmsRequest, response: ServerResponse, trouble: KmsTrouble): void {
    if (trouble === 'hang') return;
    if (trouble === 'reset') {
      response.destroy();
      return;
    }
    if (trouble === 'garbage') {
      send(response, 200, `<html>${CANARY}</html>`);
      return;
    }
    try {
      if (trouble === 'throttle') throw new KmsException('ThrottlingException');
      if (typeof trouble === 'object' && 'exception' in trouble)
        throw new KmsException(trouble.exception, trouble.status);
      if (call.region === '') throw new KmsException('MissingAuthenticationToken', 403);
      const answer = this.#do(call, body);
      if (trouble === 'another-key') answer['KeyId'] = this.createKey();
      if (trouble === 'empty') delete answer['Plaintext'];
      send(response, 200, JSON.stringify(answer));
    } catch (error) {
      const { type, status } = error instanceof KmsException ? error : new KmsException('KMSInternalException', 500);
      const message = `${CANARY} ${call.keyId} is not usable`;
      send(response, status, JSON.stringify({ __type: type, message, Message: message }));
    }
  }

  #do(call: KmsCall, body: KmsRequest): Record<string, unknown> {
    const context = call.encryptionContext;
    switch (call.operation) {
      case 'GenerateDataKey': {
        const key = this.#usable(call, body.KeyId);
        const plaintext = randomBytes(body.NumberOfBytes ?? (body.KeySpec === 'AES_128' ? 16 : 32));
        this.plaintexts.push(plaintext.toString('base64'));
        return {
          KeyId: key.arn,
          Plaintext: plaintext.toString('base64'),
          CiphertextBlob: this.wrap(key.arn, plaintext, context).toString('base64'),
        };
      }
      case 'Encrypt': {
        const key = this.#usable(call, body.KeyId);
        const plaintext = Buffer.from(body.Plaintext ?? '', 'base64');
        return { KeyId: key.arn, CiphertextBlob: this.wrap(key.arn, plaintext, context).toString('base64') };
      }
      case 'Decrypt': {
        const blob = Buffer.from(body.CiphertextBlob ?? '', 'base64');
        const length = blob[0] ?? 0;
        const id = blob.subarray(1, 1 + length).toString();
        const key = this.#usable(call, body.KeyId ?? this.#keys.find((it) => it.id === id)?.arn);
        if (key.id !== id) {
          if (this.#keys.some((it) => it.id === id)) throw new KmsException('IncorrectKeyException');
          throw new KmsException('InvalidCiphertextException');
        }
        const plaintext = unwrap(key.material, blob.subarray(1 + length), context).toString('base64');
        this.plaintexts.push(plaintext);
        return { KeyId: key.arn, Plaintext: plaintext, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
      }
      default:
        throw new KmsException('UnknownOperationException');
    }
  }

  /** The key of a call, checked as KMS does: it is of that Region, and in a state to be used. */
  #usable(call: KmsCall, keyId: string | undefined): StandInKey {
    const named = this.#aliases.get(keyId ?? '') ?? keyId;
    const key = this.#keys.find((it) => it.region === call.region && (it.arn === named || it.id === named));
    if (key === undefined) throw new KmsException('NotFoundException');
    if (key.state === 'disabled') throw new KmsException('DisabledException');
    if (key.state === 'pending-deletion') throw new KmsException('KMSInvalidStateException');
    if (key.state === 'access-denied') throw new KmsException('AccessDeniedException');
    return key;
  }

  #key(arn: string): StandInKey {
    const key = this.#keys.find((it) => it.arn === arn);
    if (key === undefined) throw new Error(`the stand-in has no key ${arn}`);
    return key;
  }
}

function unwrap(material: Buffer, wrapped: Buffer, context: Record<string, string>): Buffer {
  try {
    const decipher = createDecipheriv('aes-256-gcm', material, wrapped.subarray(0, 12))
      .setAAD(canonical(context))
      .setAuthTag(wrapped.subarray(-16));
    return Buffer.concat([decipher.update(wrapped.subarray(12, -16)), decipher.final()]);
  } catch {
    throw new KmsException('InvalidCiphertextException');
  }
}

function canonical(context: Record<string, string>): Buffer {
  return Buffer.from(JSON.stringify(Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1))));
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': randomUUID() });
  response.end(body);
}
