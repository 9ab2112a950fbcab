/** An S3 in this process, which speaks as much of the service's protocol to the real AWS client as reading and writing takes. */
import { createHash } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from './patience.ts';

/** Text that every error message of the stand-in holds. */
export const S3_CANARY = 'canary-text-of-s3';

/** How a call goes wrong. */
export type S3Trouble =
  | 'ok'
  /** No answer, and the connection stays open. */
  | 'hang'
  /** Half of the body, and then nothing. */
  | 'half'
  /** Half of the body, and the connection is cut. */
  | 'cut'
  | 'reset'
  | { readonly code: string; readonly status: number };

export interface S3Call {
  readonly method: string;
  /** `bucket/key`, percent-decoded. */
  readonly object: string;
  /** What `x-amz-expected-bucket-owner` says. */
  readonly owner: string | undefined;
}

export class S3StandIn {
  readonly calls: S3Call[] = [];
  /** Objects by `bucket/key`. */
  readonly objects = new Map<string, Buffer>();
  trouble: (call: S3Call) => S3Trouble = () => 'ok';
  /** Calls that have to have been under way at once before any is answered. */
  together = 0;
  /** The most calls that were under way at once. */
  mostAtOnce = 0;
  /** Bytes of bodies that went out. */
  bytesSent = 0;
  readonly #server: Server;
  #underWay = 0;

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', async () => {
        const { pathname } = new URL(request.url ?? '/', 'http://s3');
        const call: S3Call = {
          method: request.method ?? '',
          object: decodeURIComponent(pathname.slice(1)),
          owner: request.headers['x-amz-expected-bucket-owner'] as string | undefined,
        };
        this.calls.push(call);
        this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#underWay);
        const checksum = request.headers['x-amz-checksum-sha256'] as string | undefined;
        await until(() => this.mostAtOnce >= this.together, 'calls come one after another');
        this.#underWay--;
        this.#answer(call, Buffer.concat(chunks), checksum, response);
      });
    });
  }

  static async start(): Promise<S3StandIn> {
    const standIn = new S3StandIn();
    await new Promise<void>((resolve) => {
      standIn.#server.listen(0, '127.0.0.1', resolve);
    });
    return standIn;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What `createS3` needs to reach it. */
  get client() {
    return { endpoint: this.endpoint, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  #answer(call: S3Call, body: Buffer, checksum: string | undefined, response: ServerResponse): void {
    const trouble = this.trouble(call);
    if (trouble === 'hang') return;
    if (trouble === 'reset') {
      response.destroy();
      return;
    }
    if (typeof trouble === 'object') {
      refuse(response, trouble.status, trouble.code);
      return;
    }
    if (call.method === 'PUT') {
      if (checksum !== createHash('sha256').update(body).digest('base64')) {
        refuse(response, 400, 'BadDigest');
        return;
      }
      this.objects.set(call.object, body);
      response.writeHead(200).end();
      return;
    }
    const object = this.objects.get(call.object);
    if (object === undefined) {
      refuse(response, 404, 'NoSuchKey');
      return;
    }
    response.writeHead(200, { 'content-length': object.length, 'content-type': 'application/octet-stream' });
    if (trouble === 'half' || trouble === 'cut') {
      response.write(object.subarray(0, object.length / 2), () => {
        if (trouble === 'cut') response.destroy();
      });
      return;
    }
    this.bytesSent += object.length;
    response.end(object);
  }
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${S3_CANARY}</Message></Error>`);
}
