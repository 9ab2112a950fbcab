/** The pipeline itself as a target, and the parts that other targets of this process share with it. */
import { randomUUID } from 'node:crypto';
import { combineKeySources } from '../../codec/keys/combined-keys.ts';
import { newKeyring } from '../../codec/keys/keyring/keyring.ts';
import { KeyringKeySource } from '../../codec/keys/keyring/keyring-key-source.ts';
import { StaticKeySource } from '../../codec/keys/static/static-key-source.ts';
import { samplesTestKeys } from '../../codec/keys/static/static-keys.ts';
import local from '../../environments/local.ts';
import {
  type Authenticator,
  type Caller,
  type Credentials,
  UnauthenticatedError,
} from '../../lambda/server/auth/caller.ts';
import { createCodecServer } from '../../lambda/server/create-codec-server.ts';
import { type CodecPipeline, LAMBDA_LIMITS } from '../../lambda/server/http/message.ts';
import { person, serviceToken } from '../support/callers.ts';
import { PATIENCE_MS } from '../support/patience.ts';
import {
  CONTRACT_CONFIG,
  type ContractRequest,
  type ContractSetup,
  READER_EMAIL,
  type TargetKind,
  type Who,
  WORKER_NAME,
} from './target.ts';

const CALLERS: Readonly<Record<Exclude<Who, 'nobody'>, Caller>> = {
  writer: person('writer@example.com'),
  reader: person(READER_EMAIL),
  worker: serviceToken(WORKER_NAME),
  outsider: person('outsider@example.com'),
};

/** Takes `Bearer token-of-<who>` for a proof; real tokens have a suite of their own. */
function tokenAuthenticator(onCredentials: (credentials: Credentials) => void): Authenticator {
  return {
    authenticate(credentials) {
      onCredentials(credentials);
      const who = credentials.authorization[0]?.replace('Bearer token-of-', '') as keyof typeof CALLERS;
      const caller = Object.hasOwn(CALLERS, who) ? CALLERS[who] : undefined;
      if (caller === undefined) throw new UnauthenticatedError('missing', 'no identity: send a token');
      return caller;
    },
  };
}

/** Headers of a request, content type and identity included. */
export function headersOf({ headers = [], who = 'writer', withoutContentType }: ContractRequest): [string, string][] {
  const all: [string, string][] = headers.map(([name, value]) => [name, value]);
  const has = (wanted: string) => all.some(([name]) => name.toLowerCase() === wanted);
  if (!has('content-type') && !withoutContentType) all.push(['content-type', 'application/json']);
  if (who !== 'nobody' && !has('authorization')) all.push(['authorization', `Bearer token-of-${who}`]);
  return all;
}

/** A pipeline with {@link CONTRACT_CONFIG}, keys of its own, and callers who are easily proven. */
export function contractPipeline(setup: ContractSetup = {}): CodecPipeline {
  const keys = combineKeySources(new KeyringKeySource(newKeyring()), new StaticKeySource(samplesTestKeys()));
  return createCodecServer(
    { ...local, ...CONTRACT_CONFIG, ...setup.config, limits: { ...CONTRACT_CONFIG.limits, ...setup.config?.limits } },
    {
      keys: { source: setup.keys?.(keys) ?? keys, keyring: undefined, close: () => {} },
      authenticator: tokenAuthenticator(setup.onCredentials ?? (() => {})),
    },
    {
      audit: { record: setup.onAudit ?? (() => {}) },
      limits: LAMBDA_LIMITS,
      onBug: (error) => {
        if (setup.onBug === undefined) throw error;
        setup.onBug(error);
      },
    },
  );
}

export const IN_PROCESS: TargetKind = {
  name: 'the pipeline, in process',
  ownsCors: false,
  behindGateway: false,
  variants: true,
  async start(setup) {
    const pipeline = contractPipeline(setup);
    return {
      async send(request) {
        const headers = headersOf(request);
        const answer = await pipeline({
          method: request.method ?? 'POST',
          path: request.path ?? '/decode',
          query: request.query ?? '',
          header: (wanted) => headers.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value),
          body: Buffer.from(request.body ?? ''),
          deadline: Date.now() + PATIENCE_MS,
          requestId: randomUUID(),
        });
        return { ...answer, body: Buffer.from(answer.body as string).toString('utf8') };
      },
      close: async () => {},
    };
  },
};
