/**
 * The Lambda function's entry: puts one environment's server together when an instance starts. What
 * lives here lives as long as the instance: clients, caches, verified tokens.
 *
 * `bin/function.ts` calls it with the environment's configuration and the process.
 */
import type { CodecServerConfig } from '../config/schema.ts';
import { fitsInLambda, httpApiEvents, openRestApiEvents } from './api-gateway.ts';
import { createLambdaHandler, type LambdaHandler, type LambdaHandlerDeps } from './lambda-handler.ts';
import { allSinks, createAuditLog } from './server/audit/audit.ts';
import { createLogger, type LogLevel, type WriteLine } from './server/audit/logger.ts';
import { createMetrics } from './server/audit/metrics.ts';
import { observeIdentity, observeKeys } from './server/audit/observe.ts';
import { createCanary } from './server/canary.ts';
import { createCodecServer, namespacesToProve } from './server/create-codec-server.ts';
import { type CodecPipeline, type CodecRequest, LAMBDA_LIMITS } from './server/http/message.ts';
import { openIdentity } from './server/open-identity.ts';
import { openFunctionKeys } from './server/open-keys.ts';
import { LAMBDA_ANSWER_BYTES, openStorage } from './server/open-storage.ts';

/** The environment variables that the stack sets; `lib/names.ts` is the other side of them. */
export interface FunctionVariables {
  readonly CREATED_KEY_ARN?: string | undefined;
  readonly STATIC_KEYS_SECRET_ARN?: string | undefined;
  readonly KEYRING_SECRET_ARN?: string | undefined;
  readonly SERVICE_TOKENS_SECRET_ARN?: string | undefined;
  readonly CLOUD_API_KEY_SECRET_ARN?: string | undefined;
  readonly STORAGE_BUCKET?: string | undefined;
  readonly SESSION_KEYS_SECRET_ARN?: string | undefined;
  readonly CLIENT_SECRET_SECRET_ARN?: string | undefined;
  readonly LOG_LEVEL?: string | undefined;
  /** Set by Lambda. */
  readonly AWS_REGION?: string | undefined;
  /** Set by Lambda: `provisioned-concurrency` where an instance waits for its first request. */
  readonly AWS_LAMBDA_INITIALIZATION_TYPE?: string | undefined;
}

/** The process that the function runs in. */
export interface FunctionHost {
  readonly variables: FunctionVariables;
  /** Writes a line to the log, which is standard output. */
  readonly write: WriteLine;
  /** Whether events come from a REST API; else from an HTTP API. */
  readonly restApi: boolean;
}

/** Milliseconds that an instance kept warm may take to fetch early what it needs; Lambda allows ten seconds. */
const WARM_UP_MS = 4000;

/**
 * Makes the handler of an environment.
 *
 * Keys of issuers and a first data key are fetched early, and with them the connections stand. An
 * instance that was started for a request does not wait for them: the request does, as far as it
 * needs them. Nothing that cannot be fetched fails the start.
 *
 * @throws Error when the configuration needs what the stack did not make
 */
export async function startFunction(
  config: CodecServerConfig,
  environment: string,
  { variables, write, restApi }: FunctionHost,
): Promise<LambdaHandler> {
  if (config.identity === null) throw new Error('identity is null: a server on AWS verifies who calls');
  const logger = createLogger(write, (variables.LOG_LEVEL ?? 'INFO') as LogLevel);
  const metrics = createMetrics(write, environment);
  const { STORAGE_BUCKET: bucket, AWS_REGION: region } = variables;
  // First of all: code that loads holds the thread for tens of milliseconds, and meanwhile an issuer can answer.
  const identity = await openIdentity(config.identity, {
    cwd: '/',
    stackServiceTokensArn: variables.SERVICE_TOKENS_SECRET_ARN,
    stackCloudApiKeyArn: variables.CLOUD_API_KEY_SECRET_ARN,
    stackSessionKeysArn: variables.SESSION_KEYS_SECRET_ARN,
    stackClientSecretArn: variables.CLIENT_SECRET_SECRET_ARN,
    asksAtOnce: true,
    ...observeIdentity(logger, metrics),
  });
  const [keys, { storage }] = await Promise.all([
    openFunctionKeys(config.keys, {
      cwd: '/',
      stackKeyArn: variables.CREATED_KEY_ARN,
      stackStaticKeysArn: variables.STATIC_KEYS_SECRET_ARN,
      stackKeyringSecretArn: variables.KEYRING_SECRET_ARN,
      ...observeKeys(logger, metrics),
    }),
    openStorage(config.storage, {
      stackBucket: bucket === undefined || region === undefined ? undefined : { name: bucket, region },
      answerBytes: LAMBDA_ANSWER_BYTES,
    }),
  ]);
  const pipeline = createCodecServer(
    config,
    { ...identity, keys, storage },
    {
      audit: allSinks(createAuditLog(write), metrics),
      limits: LAMBDA_LIMITS,
      fits: fitsInLambda,
      onBug: (error, requestId) => logger.error('a request failed by a bug', { requestId }, error),
    },
  );

  const warmedUp = Promise.all([identity.warmUp(), proveKey(pipeline)]);
  if (variables.AWS_LAMBDA_INITIALIZATION_TYPE === 'provisioned-concurrency') {
    await Promise.race([warmedUp, new Promise((resolve) => setTimeout(resolve, WARM_UP_MS).unref())]);
  }
  const canary = createCanary({
    keys: keys.source,
    namespaces: namespacesToProve(config.keys),
    onFailure: (namespace, error) => logger.error('the canary could not be served', { namespace }, error),
  });
  const deps: Omit<LambdaHandlerDeps<unknown, unknown>, 'events'> = {
    async canary(deadline) {
      const succeeded = await canary(deadline);
      metrics.canary(succeeded);
      return succeeded;
    },
    pipeline,
    onBug: (error, requestId) => logger.error('the function failed by a bug', { requestId }, error),
    onUnknownEvent: (advice, requestId) => logger.error(`an event of another front: ${advice}`, { requestId }),
  };
  return restApi
    ? createLambdaHandler({ ...deps, events: openRestApiEvents(config.cors) })
    : createLambdaHandler({ ...deps, events: httpApiEvents });
}

/** Asks for readiness, which makes a data key and so the connection to KMS; whatever comes of it. */
async function proveKey(pipeline: CodecPipeline): Promise<void> {
  await pipeline(READINESS);
}

const READINESS: CodecRequest = {
  method: 'GET',
  path: '/readyz',
  query: '',
  header: () => [],
  body: new Uint8Array(0),
  get deadline() {
    return Date.now() + WARM_UP_MS;
  },
  requestId: 'init',
};
