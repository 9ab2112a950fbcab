/** The server's own readers: tokens, requests, events. Whatever comes, the answer is one of the documented statuses. */
import { recognizeAll } from '../../codec/formats/all-formats.ts';
import type { KeySource } from '../../codec/keys/key-source.ts';
import { httpApiEvents } from '../../lambda/api-gateway.ts';
import { createLambdaHandler } from '../../lambda/lambda-handler.ts';
import { createAuthenticator } from '../../lambda/server/auth/authenticator.ts';
import { type Caller, IdentityUnavailableError, UnauthenticatedError } from '../../lambda/server/auth/caller.ts';
import { createAccessPolicy } from '../../lambda/server/auth/policy.ts';
import { TokenVerifier } from '../../lambda/server/auth/tokens.ts';
import { type CodecPipeline, type CodecRequest, LAMBDA_LIMITS } from '../../lambda/server/http/message.ts';
import { createPipeline } from '../../lambda/server/pipeline.ts';
import { apiGatewayEvent } from '../support/api-gateway-event.ts';
import { encodePart, makeSigningKey, signToken } from '../support/https-issuer.ts';
import { ensure, type FuzzTarget } from './target.ts';

const DOCUMENTED = new Set([200, 400, 401, 403, 404, 405, 413, 415, 422, 503]);
const ISSUER = 'https://issuer.example/';
const signer = makeSigningKey();
const claims = { iss: ISSUER, aud: 'codec', sub: 'someone', exp: Math.floor(Date.now() / 1000) + 86_400 };
const goodToken = signToken(claims, {}, signer);

const tokens = new TokenVerifier(
  {
    issuers: [{ type: 'oidc', issuer: ISSUER, jwksUri: `${ISSUER}jwks`, audience: 'codec', from: 'authorization' }],
    serviceTokens: null,
  },
  { get: async () => ({ body: JSON.stringify({ keys: [signer.jwk] }), headers: {}, status: 200 }) as never },
);

/** Tokens: only the one that the issuer signed is good. */
const token: FuzzTarget = {
  name: 'token',
  covers: ['/lambda/server/auth/tokens', '/lambda/server/auth/issuer-keys', '/lambda/server/auth/authenticator'],
  seeds: [
    goodToken,
    `Bearer ${goodToken}`,
    `${encodePart({ alg: 'none' })}.${encodePart(claims)}.`,
    `${encodePart({ alg: 'HS256', kid: signer.kid, crit: ['exp'] })}.${encodePart(claims)}.AAAA`,
  ].map((text) => Buffer.from(text, 'latin1')),
  words: ['Bearer ', '.', 'eyJhbGciOiJub25lIn0', '..', '=', 'codec_', '\x00'],
  maxLength: 16_384,
  async run(input) {
    const authorization = [input.toString('latin1')];
    let caller: Caller;
    try {
      caller = await createAuthenticator({ tokens }).authenticate({
        authorization,
        authorizationExtras: [],
        cookie: [],
      });
    } catch (error) {
      ensure(
        error instanceof UnauthenticatedError || error instanceof IdentityUnavailableError,
        `threw ${String(error)}`,
      );
      ensure(!error.message.includes(input.toString('latin1')) || input.length < 8, 'repeats the token in its message');
      return;
    }
    ensure(input.toString('latin1').replace(/^bearer +/i, '') === goodToken, 'accepted a token that nobody signed');
    ensure(caller.subject === 'someone', 'took the caller for somebody else');
  },
};

function pipelineOf(keys: KeySource): CodecPipeline {
  return createPipeline(
    {
      namespaces: { defaultNamespace: null, isKnown: (name) => name.startsWith('orders.') },
      origins: ['https://cloud.temporal.io'],
      failures: 'explain',
      plaintext: 'accept',
      explainTo: 'browsers',
      limits: LAMBDA_LIMITS,
    },
    {
      authenticator: {
        authenticate: () => ({ method: 'token', subject: 's', issuer: ISSUER, email: undefined, claims: {} }),
      },
      policy: createAccessPolicy([
        { name: 'r', namespaces: ['orders.*'], people: [{ claim: 'x', includes: 'y' }], allow: ['decode', 'encode'] },
      ]),
      decoder: { recognize: recognizeAll, keys, customCodecs: [], maxLayers: 8 },
      encoder: { keys, customCodecs: [], compression: 'zlib' },
      audit: { record: (entry) => void JSON.stringify(entry) },
      ready: async () => true,
      onBug: (error) => {
        throw error;
      },
    },
  );
}

/** Requests: the input is a head and a body, one line a header. */
function request(keys: KeySource): FuzzTarget {
  const pipeline = pipelineOf(keys);
  return {
    name: 'request',
    covers: ['/lambda/server/pipeline', '/lambda/server/http/', '/lambda/server/audit/audit.'],
    seeds: [
      'POST /decode\ncontent-type: application/json\nx-namespace: orders.a1b2c\norigin: https://cloud.temporal.io\n\n{"payloads":[{}]}',
      'POST //a/%7Bnamespace%7D//encode?preserveStorageRefs=true\ncontent-type: application/json; charset=utf-8\n\n{}',
      'GET /readyz\n\n',
      'POST /x%20y/download\nx-namespace: undefined\nx-namespace: b\ncontent-encoding: gzip\n\n',
    ].map((text) => Buffer.from(text, 'latin1')),
    words: [
      '/decode',
      '/encode',
      '%2F',
      '%00',
      '%',
      '\n',
      'content-type: application/json',
      'x-namespace: ',
      'origin: ',
      '..',
      '\xff',
    ],
    maxLength: 2048,
    async run(input) {
      const text = input.toString('latin1');
      const end = text.indexOf('\n\n');
      const [start = '', ...lines] = (end < 0 ? text : text.slice(0, end)).split('\n');
      const [method = '', url = ''] = start.split(' ');
      const [path = '', query = ''] = url.split('?');
      const headers = lines.map((line) => line.split(': '));
      const made: CodecRequest = {
        method,
        path,
        query,
        header: (name) => headers.filter(([key]) => key?.toLowerCase() === name).map(([, value]) => value ?? ''),
        body: end < 0 ? Buffer.alloc(0) : input.subarray(end + 2),
        deadline: Date.now() + 1000,
        requestId: 'r',
      };
      const { status, body } = await pipeline(made);
      ensure(DOCUMENTED.has(status), `answered ${status}`);
      if (status === 200 && /code$/.test(path)) JSON.parse(Buffer.from(body).toString());
    },
  };
}

/** Events: the input is the JSON of an API Gateway event, as far as it still is one. */
function event(keys: KeySource): FuzzTarget {
  const handler = createLambdaHandler({
    events: httpApiEvents,
    pipeline: pipelineOf(keys),
    onBug: () => {},
    onUnknownEvent: () => {},
  });
  const good = apiGatewayEvent({ body: '{"payloads":[{}]}' });
  return {
    name: 'event',
    covers: ['/lambda/api-gateway', '/lambda/lambda-handler'],
    seeds: [
      good,
      { ...good, isBase64Encoded: true, body: 'e30=' },
      { ...good, rawPath: '//ü decode', cookies: ['a=b'] },
    ].map((it) => Buffer.from(JSON.stringify(it))),
    words: ['"body":', 'null', '"headers":{', '"isBase64Encoded":true', '"rawPath":"/decode"', '\\ud800', ',', '"'],
    maxLength: 4096,
    async run(input) {
      let parsed: never;
      try {
        parsed = JSON.parse(input.toString('utf8')) as never;
      } catch {
        return;
      }
      const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => 5000 };
      const { statusCode = 0 } = await handler(parsed, context as never);
      // what the gateway never sends is not an event of its front (501), or, without some part, a bug there and a blank 500 here
      ensure(DOCUMENTED.has(statusCode) || statusCode === 500 || statusCode === 501, `answered ${statusCode}`);
    },
  };
}

export function serverTargets(keys: KeySource): FuzzTarget[] {
  return [token, request(keys), event(keys)];
}
