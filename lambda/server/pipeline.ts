/**
 * The way of a request: route and limits, who, what, may they, keys, open, answer, record. In this
 * order, because nothing may touch a key before the caller is known, nor parse a payload for nobody.
 *
 * With a remembered token and cached keys nothing waits for the event loop: a request is answered in the turn in
 * which its body is complete.
 */
import {
  type DecodeContext,
  type DecodeOutcome,
  type Decoder,
  decodePayloads,
  refusePlaintext,
} from '../../codec/decode.ts';
import { type Encoder, encodePayloads } from '../../codec/encode.ts';
import type { Payload } from '../../codec/payload.ts';
import type { CorsConfig, FailuresSetting, Limits, PlaintextSetting } from '../../config/schema.ts';
import { AuditRecord, type AuditSink } from './audit/audit.ts';
import type { Authenticator, Caller, Credentials } from './auth/caller.ts';
import type { AccessPolicy } from './auth/policy.ts';
import { decisionsFor } from './auth/policy.ts';
import { type CodecPipeline, type CodecRequest, type CodecResponse, HttpError } from './http/message.ts';
import { allowedOrigin } from './http/origin.ts';
import { readPayloads } from './http/payload-json-reader.ts';
import {
  bugResponse,
  deniedSentence,
  explainCannotOpen,
  explainDenied,
  httpErrorResponse,
  payloadsResponse,
  textResponse,
  writtenLength,
} from './http/responses.ts';
import {
  NAME_A_NAMESPACE,
  type NamespaceSettings,
  namedNamespace,
  type Route,
  readQuery,
  requireJson,
  routeOf,
} from './http/route.ts';
import { httpErrorOf } from './http-error.ts';
import type { ExternalStorage } from './storage/external-storage.ts';
import { EXTERNAL_STORAGE_LAYER } from './storage/object-store.ts';
import { isReference, withoutForeignReferences } from './storage/reference.ts';

/** What a pipeline is told; a part of the configuration, with every limit filled in. */
export interface PipelineSettings {
  readonly namespaces: NamespaceSettings;
  /** Exact origins of the browsers that may call. */
  readonly origins: CorsConfig['origins'];
  readonly failures: FailuresSetting;
  /** What becomes of payloads that needed no key. */
  readonly plaintext: PlaintextSetting;
  readonly explainTo: 'browsers' | 'browsers-and-cli';
  readonly limits: Limits;
}

/** What a pipeline is made of. */
export interface PipelineDeps {
  readonly authenticator: Authenticator;
  readonly policy: AccessPolicy;
  readonly decoder: Decoder;
  readonly encoder: Encoder;
  /** Undefined: references stay what they are, and `/download` answers 404. */
  readonly storage?: ExternalStorage | undefined;
  readonly audit: AuditSink;
  /** Whether a key can be used, for `/readyz`. Must be cheap however often it is asked. */
  readonly ready: () => Promise<boolean>;
  /** Whether the host can carry a body; default: any. */
  readonly fits?: ((body: string | Uint8Array) => boolean) | undefined;
  /** Told of what should never happen, for the log; never with a payload's content. */
  readonly onBug: (error: unknown, requestId: string) => void;
  /** Milliseconds for durations; default `performance.now`. */
  readonly now?: () => number;
}

/** What somebody who is known asks for. */
interface Asked {
  readonly request: CodecRequest;
  readonly isDownload: boolean;
  /** Whether references to external storage stay what they are. */
  readonly preserves: boolean;
  readonly caller: Caller;
  /** The one that the caller names. */
  readonly namespace: string | undefined;
  readonly payloads: readonly Payload[];
  readonly record: AuditRecord;
}

/** Makes the pipeline; what the settings say is compiled once. */
export function createPipeline(settings: PipelineSettings, deps: PipelineDeps): CodecPipeline {
  const pipeline = new Pipeline(settings, deps);
  return (request) => pipeline.handle(request);
}

/** Bytes of explanations that any request may get; more, up to twice its body, only where it is larger. */
const LEAST_EXPLAINED = 512;
/** Bytes that an answer may have in any case, before it is compared with its request. */
const LEAST_ANSWER = 1024;

const ANSWER_TOO_LARGE = new HttpError(
  413,
  'The decoded payloads are larger than the 6 MB that AWS Lambda can answer with: ask for fewer payloads at a time',
);
const OUT_OF_PROPORTION = new HttpError(413, 'The answer would be more than three times as large as what you sent');

class Pipeline {
  readonly #settings: PipelineSettings;
  readonly #deps: PipelineDeps;
  readonly #origins: ReadonlySet<string>;
  readonly #now: () => number;

  constructor(settings: PipelineSettings, deps: PipelineDeps) {
    this.#settings = settings;
    this.#deps = deps;
    this.#origins = new Set(settings.origins);
    this.#now = deps.now ?? (() => performance.now());
  }

  async handle(request: CodecRequest): Promise<CodecResponse> {
    const route = routeOf(request.path);
    if (route.operation === 'healthz' || route.operation === 'readyz') return this.#health(route.operation, request);
    const record = new AuditRecord(request.requestId, this.#now());
    record.sourceAddress = request.sourceAddress;
    let answered = false;
    request.answeredInstead = (status) => {
      if (answered) return;
      answered = true;
      this.#record(record, status);
    };
    let response: CodecResponse;
    try {
      const caller = await this.#deps.authenticator.authenticate(this.#admit(request, route, record));
      const asked = this.#read(request, route, caller, record);
      response = route.operation === 'encode' ? await this.#encode(asked) : await this.#decode(asked);
    } catch (error) {
      response = this.#failed(error, request, record);
    }
    if (answered) return response;
    answered = true;
    return this.#close(record, response, request);
  }

  /** The last word on an answer: what the host cannot carry becomes a 413 before it is recorded. */
  #close(record: AuditRecord, response: CodecResponse, { requestId }: CodecRequest): CodecResponse {
    const { fits } = this.#deps;
    const sent = fits === undefined || fits(response.body) ? response : httpErrorResponse(ANSWER_TOO_LARGE, requestId);
    this.#record(record, sent.status);
    return sent;
  }

  #record(record: AuditRecord, status: number): void {
    this.#deps.audit.record(record.entry(status, this.#now()));
  }

  /** Everything before the identity: cheap, and of no use to whoever is refused. */
  #admit(request: CodecRequest, { operation }: Route, record: AuditRecord): Credentials {
    if (operation === undefined) throw new HttpError(404, 'There is nothing here: POST to /decode or /encode');
    record.operation = operation;
    if (request.method !== 'POST') throw new HttpError(405, `Use POST for /${operation}`, { allow: 'POST' });
    record.origin = allowedOrigin(request.header('origin'), this.#origins);
    if (operation === 'download' && this.#deps.storage === undefined)
      throw new HttpError(404, 'This codec server is not configured to download from external storage');
    requireJson(request.header('content-type'), request.header('content-encoding'));
    const { bodyBytes } = this.#settings.limits;
    if (request.body.length > bodyBytes)
      throw new HttpError(413, `The body is larger than ${bodyBytes} bytes: send fewer payloads at a time`);
    return {
      authorization: request.header('authorization'),
      authorizationExtras: request.header('authorization-extras'),
      // A browser page of an allowed origin says so; nobody else's cookie counts, so no other site can ride on it.
      cookie: record.origin === undefined ? [] : request.header('cookie'),
    };
  }

  #read(request: CodecRequest, { operation, prefix }: Route, caller: Caller, record: AuditRecord): Asked {
    record.caller = caller;
    const namespace = namedNamespace(request.header('x-namespace'), prefix, this.#settings.namespaces);
    record.namedNamespace = namespace;
    const { bulk, preserveStorageRefs } = readQuery(request.query);
    record.bulk = operation === 'decode' && bulk;
    const payloads = readPayloads(request.body, this.#settings.limits.payloads);
    const isDownload = operation === 'download';
    const preserves = !isDownload && preserveStorageRefs;
    return { request, isDownload, preserves, caller, namespace, payloads, record };
  }

  async #decode(asked: Asked): Promise<CodecResponse> {
    const { request, isDownload, preserves, caller, namespace, payloads, record } = asked;
    const { decoder, policy, storage } = this.#deps;
    const context: DecodeContext = {
      namespace,
      mayDecode: decisionsFor(caller, 'decode', policy, record.namespaces),
      onOpened: (opened) => record.opened.add(opened),
      onCannotOpen: ({ message }) => {
        record.cause ??= message;
      },
      deadline: request.deadline,
      limits: { inflateBudget: this.#settings.limits.inflatedBytes },
      usage: record.usage,
    };
    let outcomes = await decodePayloads(decoder, payloads, context);
    if (isDownload && storage?.areReferences(outcomes) === false)
      throw new HttpError(400, 'Send only references to external storage to /download, and the rest to /decode');
    if (!preserves && storage !== undefined) outcomes = await storage.retrieve(outcomes, decoder, context);
    else if (!preserves) outcomes = withoutForeignReferences(outcomes);
    // What only says where a payload is shows nothing: it is judged when it is followed.
    if (this.#settings.plaintext === 'refuse')
      outcomes = refusePlaintext(outcomes, (outcome) => preserves && isReference(outcome));
    const response = this.#decoded(asked, outcomes);
    // No answer to somebody without a right is much larger than the request: a list of `{}` grows by being written out.
    const isInProportion = response.body.length <= Math.max(LEAST_ANSWER, 3 * request.body.length);
    if (!isInProportion && record.opened.size === 0 && !(await context.mayDecode(namespace))) throw OUT_OF_PROPORTION;
    return response;
  }

  #decoded({ request, payloads, caller, record }: Asked, outcomes: readonly DecodeOutcome[]): CodecResponse {
    const explains = this.#explainsTo(caller, record);
    let explainable = Math.max(LEAST_EXPLAINED, 2 * request.body.length);
    const explain = (explanation: Payload, original: Payload): Payload => {
      explainable -= writtenLength(explanation);
      return explainable >= 0 ? explanation : original;
    };
    let denied = false;
    let closed = false;
    const results = outcomes.map((outcome, index) => {
      switch (outcome.kind) {
        case 'decoded':
          record.count(outcome.layers.includes(EXTERNAL_STORAGE_LAYER) ? 'retrieved' : 'decoded');
          return outcome.payload;
        case 'unchanged':
          record.count('unchanged');
          return outcome.payload;
        case 'denied':
          record.count('denied');
          denied = true;
          break;
        case 'cannot-open':
          record.count(outcome.reason);
          closed = true;
          break;
      }
      const original = payloads[index] as Payload;
      if (!explains || explainable <= 0) return original;
      if (outcome.kind === 'cannot-open')
        return explain(explainCannotOpen(outcome.reason, request.requestId), original);
      const rule = this.#ruleToAskFor(caller, 'decode', outcome.namespace);
      return explain(explainDenied(caller, outcome.namespace, rule, request.requestId), original);
    });
    if (this.#settings.failures === 'reject' && !record.bulk) {
      if (denied) throw new HttpError(403, 'You may not decode all of these payloads');
      if (closed) throw new HttpError(422, 'Not all of these payloads can be opened');
    }
    return payloadsResponse(results, request.requestId);
  }

  #ruleToAskFor(caller: Caller, operation: 'decode' | 'encode', namespace: string | undefined): string | undefined {
    return namespace === undefined ? undefined : this.#deps.policy.ruleToAskFor(caller, operation, namespace);
  }

  /** Explanations are for people: a worker behind a service token would take one for data. */
  #explainsTo(caller: Caller, { origin, bulk }: AuditRecord): boolean {
    const { failures, explainTo } = this.#settings;
    if (bulk || failures !== 'explain' || caller.method === 'service-token') return false;
    return origin !== undefined || explainTo === 'browsers-and-cli';
  }

  async #encode({ request, payloads, namespace, caller, record }: Asked): Promise<CodecResponse> {
    if (namespace === undefined) throw new HttpError(400, NAME_A_NAMESPACE);
    const allowed = await this.#deps.policy.may(caller, 'encode', namespace);
    record.namespaces.set(namespace, allowed ? 'allowed' : 'denied');
    if (!allowed) {
      record.count('denied', payloads.length);
      const rule = this.#ruleToAskFor(caller, 'encode', namespace);
      throw new HttpError(403, deniedSentence(caller, 'encode', namespace, rule));
    }
    const inline = await encodePayloads(this.#deps.encoder, payloads, {
      namespace,
      deadline: request.deadline,
      limits: { inflateBudget: this.#settings.limits.inflatedBytes },
      usage: record.usage,
    });
    const { storage } = this.#deps;
    const isStored = storage !== undefined && mayStore(caller, record);
    const results = isStored ? await storage.store(inline, namespace, request.deadline) : inline;
    const stored = results.filter((result, index) => result !== inline[index]).length;
    record.count('encoded', results.length - stored);
    if (stored > 0) record.count('stored', stored);
    return payloadsResponse(results, request.requestId);
  }

  /** What went wrong, as a response, and noted for the audit line. */
  #failed(error: unknown, { requestId }: CodecRequest, record: AuditRecord): CodecResponse {
    const refusal = httpErrorOf(error, record);
    if (refusal !== undefined) return httpErrorResponse(refusal, requestId);
    this.#deps.onBug(error, requestId);
    return bugResponse(requestId);
  }

  async #health(kind: 'healthz' | 'readyz', request: CodecRequest): Promise<CodecResponse> {
    const { method, requestId } = request;
    if (method !== 'GET' && method !== 'HEAD')
      return textResponse(405, `Use GET for /${kind}`, requestId, { allow: 'GET, HEAD' });
    if (kind === 'healthz') return textResponse(200, 'Alive', requestId);
    const ready = await this.#deps.ready().catch((error) => {
      this.#deps.onBug(error, requestId);
      return false;
    });
    return ready
      ? textResponse(200, 'Ready', requestId)
      : textResponse(503, 'No key can be used now', requestId, { 'retry-after': '5' });
  }
}

/**
 * Whether what is encoded for a caller may be stored. A worker's remote codec must get its payload
 * back encoded and nothing else, for its SDK stores by itself: it has a service token, or no browser.
 */
function mayStore(caller: Caller, { origin }: AuditRecord): boolean {
  return origin !== undefined && caller.method !== 'service-token';
}
