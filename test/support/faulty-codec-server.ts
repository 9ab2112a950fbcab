/**
 * A small codec server that does everything right, except for the faults it is told to have: a
 * patient for `codec-server doctor`. Its "encryption" reverses the bytes.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';

export type Fault =
  | 'preflight-not-answered'
  | 'no-cors'
  | 'wrong-origin'
  | 'origin-with-slash'
  | 'no-authorization-extras'
  | 'any-origin'
  | 'echoed-origin'
  | 'errors-without-cors'
  | 'no-max-age'
  | 'foreign-origin-served'
  | 'whole-path'
  | 'redirect'
  | 'clock-off'
  | 'auth-off'
  | 'any-token'
  | 'expired-accepted'
  | 'jwks-unreachable'
  | 'own-issuer-unreachable'
  | 'body-limit-100k'
  | 'body-limit-4m'
  | 'no-body-limit'
  | 'external-payloads-lost'
  | 'snake-case'
  | 'encode-passes-through'
  | 'payload-dropped'
  | 'extra-field'
  | 'url-safe-base64'
  | 'strict-json'
  | 'not-ready'
  | 'storable'
  | 'get-served'
  | 'sheds-parallel'
  | 'not-found'
  | 'web-ui'
  | 'another-api'
  | 'origin-refused'
  | 'origin-refused-behind-gateway'
  | 'forbidden-in-front'
  | 'unavailable-in-front'
  | 'web-acl'
  | 'encode-denied';

export const GOOD_TOKEN = 'good-token';
export const EXPIRED_TOKEN = 'expired-token';
export const ALLOWED_ORIGIN = 'https://cloud.temporal.io';

interface JsonPayload {
  metadata?: Record<string, string>;
  data?: string;
  externalPayloads?: unknown[];
}

const ORIGIN_SENTENCE = 'This origin may not use the codec server: add it to cors.origins in the configuration';
const ENCODE_SENTENCE = 'Codec server: ann may not encode payloads of the namespace default: no access rule allows it';
const ENCODED = Buffer.from('binary/reversed').toString('base64');

/** Starts a patient; `close` ends it. */
export async function startFaultyCodecServer(...faults: Fault[]) {
  const patient = new Patient(new Set(faults));
  const server = createServer((request, response) => void patient.serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

class Patient {
  readonly #faults: ReadonlySet<Fault>;
  #inFlight = 0;

  constructor(faults: ReadonlySet<Fault>) {
    this.#faults = faults;
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#inFlight++;
    try {
      await this.#answer(request, response);
    } finally {
      this.#inFlight--;
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const operation = this.#has('whole-path') ? path.slice(1) : (path.split('/').at(-1) ?? '');
    if (this.#has('clock-off')) response.setHeader('date', new Date(Date.now() - 300_000).toUTCString());
    if (!this.#has('storable')) response.setHeader('cache-control', 'no-store');
    if (request.method === 'OPTIONS') {
      this.#preflight(request, response);
      return;
    }
    const body = await this.#body(request);
    if (this.#inFront(request, response, body?.length ?? 0)) return;
    if (path === '/readyz') {
      const notReady = this.#has('not-ready');
      this.#end(response, notReady ? 503 : 200, request, notReady ? 'No key can be used now' : 'Ready');
      return;
    }
    if (this.#has('redirect')) {
      response.setHeader('location', 'https://elsewhere.example/decode');
      this.#end(response, 301, request);
      return;
    }
    if (this.#has('not-found') || !['encode', 'decode'].includes(operation)) {
      this.#end(response, 404, request);
      return;
    }
    if (request.method !== 'POST') {
      this.#end(response, this.#has('get-served') ? 200 : 405, request);
      return;
    }
    const foreign = request.headers.origin !== undefined && request.headers.origin !== ALLOWED_ORIGIN;
    if (foreign && !this.#has('foreign-origin-served') && !this.#has('any-origin') && !this.#has('echoed-origin')) {
      this.#end(response, 403, request);
      return;
    }
    if (request.headers.origin !== undefined && this.#refusesOrigin()) {
      this.#end(response, 403, request, ORIGIN_SENTENCE);
      return;
    }
    if (operation === 'encode' && this.#has('encode-denied')) {
      this.#end(response, 403, request, ENCODE_SENTENCE);
      return;
    }
    const refusal = this.#refusal(request.headers.authorization);
    if (refusal !== undefined) {
      this.#end(response, refusal, request);
      return;
    }
    if (body === undefined) {
      this.#end(response, 413, request);
      return;
    }
    if (this.#has('sheds-parallel') && this.#inFlight > 5) {
      this.#end(response, 503, request);
      return;
    }
    if (this.#has('sheds-parallel')) await setTimeout(10);
    this.#codec(operation, body, request, response);
  }

  /** What stands in front of a codec server, or in its place, and answers for it. */
  #inFront(request: IncomingMessage, response: ServerResponse, bytes: number): boolean {
    const answer = (status: number, type: string, body: string): boolean => {
      response.writeHead(status, { 'content-type': type }).end(body);
      return true;
    };
    if (this.#has('web-ui'))
      return request.method === 'GET'
        ? answer(200, 'text/html; charset=utf-8', '<!doctype html><title>Temporal UI</title>')
        : answer(400, 'application/json', '{"message":"missing csrf token in request header"}');
    if (this.#has('another-api')) return answer(200, 'application/json', '{"ok":true}');
    if (this.#has('forbidden-in-front')) return answer(403, 'application/json', '{"message":"Forbidden"}');
    if (this.#has('unavailable-in-front')) return answer(503, 'application/json', '{"message":"Service Unavailable"}');
    if (this.#has('web-acl') && bytes > 8192) return answer(403, 'application/json', '{"message":"Forbidden"}');
    return false;
  }

  #refusesOrigin(): boolean {
    return this.#has('origin-refused') || this.#has('origin-refused-behind-gateway');
  }

  #codec(operation: string, body: string, request: IncomingMessage, response: ServerResponse): void {
    let payloads: JsonPayload[];
    try {
      const parsed = JSON.parse(body) as { payloads?: (JsonPayload | null)[] };
      if (this.#has('strict-json') && parsed.payloads === undefined) {
        this.#end(response, 400, request);
        return;
      }
      payloads = (parsed.payloads ?? []).map((payload) => payload ?? {});
    } catch {
      this.#end(response, 400, request);
      return;
    }
    let result = payloads.map((payload) => (operation === 'encode' ? this.#encode(payload) : this.#decode(payload)));
    if (this.#has('payload-dropped')) result = result.slice(1);
    const answer: Record<string, unknown> = { payloads: result };
    if (this.#has('extra-field')) answer['took'] = 1;
    this.#end(response, 200, request, JSON.stringify(answer));
  }

  #encode(payload: JsonPayload): JsonPayload {
    if (this.#has('encode-passes-through')) return payload;
    const { externalPayloads: _lost, ...rest } = payload;
    const inner = JSON.stringify(this.#has('external-payloads-lost') ? rest : payload);
    return { metadata: { encoding: ENCODED }, data: Buffer.from(inner).reverse().toString('base64') };
  }

  #decode(payload: JsonPayload): JsonPayload {
    const padded = (text: string) =>
      Buffer.from(text, 'base64').toString(this.#has('url-safe-base64') ? 'base64url' : 'base64');
    const metadata = Object.fromEntries(
      Object.entries(payload.metadata ?? {}).map(([key, value]) => [key, padded(value)]),
    );
    if (payload.metadata?.['encoding'] !== ENCODED) {
      const answer: JsonPayload = { metadata, data: padded(payload.data ?? '') };
      if (payload.externalPayloads !== undefined) answer.externalPayloads = payload.externalPayloads;
      return answer;
    }
    const inner = Buffer.from(payload.data ?? '', 'base64')
      .reverse()
      .toString();
    const named = this.#has('snake-case') ? inner.replace('externalPayloads', 'external_payloads') : inner;
    return JSON.parse(named) as JsonPayload;
  }

  #refusal(authorization: string | undefined): number | undefined {
    if (this.#has('auth-off')) return undefined;
    const token = authorization?.replace('Bearer ', '');
    if (token === GOOD_TOKEN) return this.#has('own-issuer-unreachable') ? 503 : undefined;
    if (token === EXPIRED_TOKEN && this.#has('expired-accepted')) return undefined;
    if (token !== undefined && this.#has('any-token')) return undefined;
    return token !== undefined && this.#has('jwks-unreachable') ? 503 : 401;
  }

  #preflight(request: IncomingMessage, response: ServerResponse): void {
    if (this.#has('origin-refused')) {
      this.#end(response, 403, request, ORIGIN_SENTENCE);
      return;
    }
    if (this.#has('preflight-not-answered')) {
      this.#end(response, 405, request);
      return;
    }
    const headers = ['content-type', 'x-namespace', 'authorization'];
    if (!this.#has('no-authorization-extras')) headers.push('authorization-extras');
    if (this.#cors(request) !== undefined) {
      response.setHeader('access-control-allow-methods', 'POST');
      response.setHeader('access-control-allow-headers', headers.join(', '));
      if (!this.#has('no-max-age')) response.setHeader('access-control-max-age', '7200');
    }
    this.#end(response, 204, request);
  }

  #cors(request: IncomingMessage): string | undefined {
    const { origin } = request.headers;
    if (origin === undefined || this.#has('no-cors') || this.#refusesOrigin()) return undefined;
    if (this.#has('any-origin')) return '*';
    if (this.#has('wrong-origin')) return 'https://temporal.example';
    if (this.#has('origin-with-slash')) return `${ALLOWED_ORIGIN}/`;
    return origin === ALLOWED_ORIGIN || this.#has('echoed-origin') ? origin : undefined;
  }

  #end(response: ServerResponse, status: number, request: IncomingMessage, body = ''): void {
    const allowed = this.#cors(request);
    if (allowed !== undefined && !(status >= 400 && this.#has('errors-without-cors')))
      response.setHeader('access-control-allow-origin', allowed);
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  }

  async #body(request: IncomingMessage): Promise<string | undefined> {
    const limit = this.#has('body-limit-100k')
      ? 100_000
      : this.#has('no-body-limit')
        ? Number.POSITIVE_INFINITY
        : this.#has('body-limit-4m')
          ? 4_000_000
          : 16_000_000;
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of request) {
      length += (chunk as Buffer).length;
      if (length <= limit) chunks.push(chunk as Buffer);
    }
    return length <= limit ? Buffer.concat(chunks).toString() : undefined;
  }

  #has(fault: Fault): boolean {
    return this.#faults.has(fault);
  }
}
