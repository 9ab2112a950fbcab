/** What Temporal takes of a namespace, and how much of it encryption leaves: asked where its address is given. */
import { randomBytes } from 'node:crypto';
import type { Connection } from '../cluster/connection.ts';
import { createGrpcClient, GrpcError } from '../cluster/grpc-client.ts';
import { type Field, MalformedAnswerError, message } from '../cluster/protobuf.ts';
import { TemporalApi } from '../cluster/temporal-api.ts';
import { type Answer, answered, type NoAnswer, said } from './exchange.ts';
import { type Finding, ok, skipped, unanswered, warning } from './report.ts';
import { type AnsweredPayload, base64, payloadsOf, type Target } from './target.ts';

/** Bytes that Temporal takes, as stored; 0 where the server does not say. */
interface NamespaceLimits {
  /** Of one payload, `limits.blob_size_limit_error`. */
  readonly payload: number;
  /** Of a memo, all its fields together, `limits.memo_size_limit_error`. */
  readonly memo: number;
}

/** Numbers of fields: namespace_info in the answer, limits in that, and the two in those. */
const NAMESPACE_INFO = 1;
const LIMITS = 8;
const BLOB_SIZE_LIMIT = 1;
const MEMO_SIZE_LIMIT = 2;

const CALLS_PER_SECOND = 10;
/** Two payloads that tell what encryption adds to each, and what to each byte. */
const SMALL_BYTES = 30_000;
const MEDIUM_BYTES = 90_000;
/** Bytes that the lengths of a longer payload take in the layers around it. */
const SPARE_BYTES = 64;
/** The largest that is sent: a server of one's own may take more, and no codec server on Lambda does. */
const MOST_BYTES = 8 * 1024 * 1024;

/** Compares what the namespace takes with what the codec server makes of a payload, and tries the largest. */
export async function checkBodyLimits(target: Target): Promise<Finding> {
  const { temporal } = target.options;
  if (temporal === undefined) return skipped('limits', 'needs --address of the Temporal server');
  let limits: NamespaceLimits;
  try {
    limits = await askLimits(temporal);
  } catch (error) {
    if (!(error instanceof GrpcError || error instanceof MalformedAnswerError)) throw error;
    return warning(
      'limits',
      `${temporal.address} does not say what ${temporal.namespace} takes`,
      error.message,
      'check --address, TLS, the API key and --namespace: the Temporal CLI takes the same options',
    );
  }
  const { payload: limit, memo } = limits;
  const { namespace } = temporal;
  if (limit === 0) return skipped('limits', `${temporal.address} names no limits: they are known since server 1.29`);

  const small = await encode(target, randomPayload(SMALL_BYTES));
  if ('finding' in small) return small.finding;
  const medium = await encode(target, randomPayload(MEDIUM_BYTES));
  if ('finding' in medium) return medium.finding;
  // A codec that writes base64 into a payload makes it a third longer, besides what it puts around it.
  const growth = (medium.stored - small.stored) / (medium.given - small.given);
  const added = Math.round(medium.stored - growth * medium.given);
  const room = Math.floor((limit - added) / growth) - SPARE_BYTES;
  const largest = await encode(target, randomPayload(Math.max(0, Math.min(room, MOST_BYTES))));
  if ('finding' in largest) return largest.finding;
  const decoded = await target.post('decode', JSON.stringify({ payloads: [largest.encoded] }), target.pageOrigin);
  const back = answered(decoded) && decoded.status === 200 ? payloadsOf(decoded)?.[0] : undefined;
  if (back?.data !== largest.original.data) return notServed('/decode', largest.stored, decoded);
  const share = growth > 1.01 ? ` and ${Math.round((growth - 1) * 100)} % of it` : '';
  return ok(
    'limits',
    `${namespace} takes payloads of ${limit} bytes${memo === 0 ? '' : `, memos of ${memo}`}; encryption adds ${added}${share} to each payload, and the largest comes back`,
  );
}

/** @throws GrpcError, and MalformedAnswerError */
async function askLimits(temporal: Connection): Promise<NamespaceLimits> {
  const client = createGrpcClient(temporal);
  try {
    const api = new TemporalApi(client, CALLS_PER_SECOND);
    const { message: answer } = await api.call('DescribeNamespace', message([1, temporal.namespace]));
    const limits = answer.message(NAMESPACE_INFO).message(LIMITS);
    return { payload: limits.number(BLOB_SIZE_LIMIT), memo: limits.number(MEMO_SIZE_LIMIT) };
  } finally {
    client.close();
  }
}

interface Encoded {
  readonly original: AnsweredPayload;
  readonly encoded: AnsweredPayload;
  /** Bytes of the two. */
  readonly given: number;
  readonly stored: number;
}

async function encode(target: Target, original: AnsweredPayload): Promise<Encoded | { readonly finding: Finding }> {
  const given = sizeOf(original);
  const answer = await target.post('encode', JSON.stringify({ payloads: [original] }), target.pageOrigin);
  const encoded = answered(answer) && answer.status === 200 ? payloadsOf(answer)?.[0] : undefined;
  if (encoded === undefined) return { finding: notServed('/encode', given, answer) };
  return { original, encoded, given, stored: sizeOf(encoded) };
}

function notServed(operation: string, bytes: number, answer: Answer | NoAnswer): Finding {
  if (!answered(answer)) return unanswered('limits', answer);
  return warning(
    'limits',
    `${operation} does not serve a payload of ${bytes} bytes, which the namespace takes`,
    answer.status === 200 ? 'it comes back different' : `it gets a ${answer.status}: ${said(answer.body)}`,
    'raise the limit of the server and of what is in front of it, or keep payloads smaller, with external storage for instance',
  );
}

/** Bytes that nothing compresses. */
function randomPayload(bytes: number): AnsweredPayload {
  return { metadata: { encoding: base64('binary/plain') }, data: randomBytes(bytes).toString('base64') };
}

/** Bytes of a payload as Temporal stores and counts it: `temporal.api.common.v1.Payload`. */
function sizeOf({ metadata = {}, data = '', externalPayloads = [] }: AnsweredPayload): number {
  const entries = Object.entries(metadata).map(
    ([name, value]): Field => [1, message([1, name], [2, Buffer.from(value, 'base64')])],
  );
  const details = externalPayloads.map(({ sizeBytes }): Field => [3, message([1, Number(sizeBytes ?? 0)])]);
  return message(...entries, [2, Buffer.from(data, 'base64')], ...details).length;
}
