/** What is started cold: two floors, and our function. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { createPayloadCodec } from '../../codec/index.ts';
import { createKms } from '../../codec/keys/kms/kms.ts';
import { createKmsDataKeys } from '../../codec/keys/worker-keys.ts';
import type { EnvironmentConfig } from '../../config/environment.ts';
import dev from '../../environments/dev.ts';
import { buildFunction, PROJECT_ROOT } from '../../lib/bundle/bundle.ts';
import { loadedParts } from '../../lib/bundle/bundle-report.ts';
import { putTogether } from '../../lib/function-code.ts';
import { REQUIRE } from '../../lib/names.ts';
import { HttpsIssuer } from '../../test/support/https-issuer.ts';
import { testCertificate } from '../../test/support/https-stand-in.ts';
import { KmsStandIn } from '../../test/support/kms-stand-in.ts';
import { NAMESPACE, sealWith } from '../formats.ts';
import { seededRandom } from '../statistics.ts';
import { plainJson } from '../workloads.ts';

export interface ColdContestant {
  readonly name: 'empty' | 'kms' | 'ours';
  readonly title: string;
  /** The folder with `index.mjs`. */
  readonly code: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly event: unknown;
  /** Events under data keys of their own, for instances that have keys. */
  readonly freshEvents: readonly unknown[];
}

export interface PreparedCold {
  readonly contestants: readonly ColdContestant[];
  readonly standInMs: number;
  /** What every configuration loads at the start. */
  readonly startBytes: number;
  close(): Promise<void>;
}

/** Milliseconds that KMS and the issuer take to answer. */
const STAND_IN_MS = 20;
const FRESH_KEYS = 5;
/** Bytes of JSON in the payload of an event. */
const JSON_BYTES = 300;

export async function prepareCold(): Promise<PreparedCold> {
  const cache = join(PROJECT_ROOT, '.cache', 'bench');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'cold-'));
  const [kms, issuer] = await Promise.all([KmsStandIn.start(), HttpsIssuer.start()]);
  const keyArn = kms.createKey();
  const certificate = join(folder, 'issuer.pem');
  writeFileSync(certificate, testCertificate().cert);
  const variables = {
    AWS_ENDPOINT_URL_KMS: kms.endpoint,
    // All three read it, so that it counts for all or none.
    NODE_EXTRA_CA_CERTS: certificate,
  };

  const { code, startBytes } = await functionFor(folder, configFor(issuer, keyArn));
  const token = issuer.token({ aud: 'codec', email: 'a@example.com', email_verified: true, exp: inAnHour() });
  const [event, ...freshEvents] = await Promise.all(
    Array.from({ length: 1 + FRESH_KEYS }, () => decodeEvent(kms, keyArn, token)),
  );

  const context = { 'temporal-namespace': NAMESPACE };
  const ciphertext = kms.wrap(keyArn, Buffer.alloc(32, 1), context).toString('base64');
  kms.latencyMs = STAND_IN_MS;
  issuer.mood = { kind: 'slow', ms: STAND_IN_MS };
  return {
    standInMs: STAND_IN_MS,
    startBytes,
    contestants: [
      {
        name: 'empty',
        title: 'floor: an empty handler',
        code: floor(folder, 'empty'),
        variables,
        event: {},
        freshEvents: [],
      },
      {
        name: 'kms',
        title: 'floor: loads client-kms, one Decrypt a request',
        code: floor(folder, 'kms'),
        variables,
        event: { keyId: keyArn, ciphertext, encryptionContext: context },
        freshEvents: [],
      },
      { name: 'ours', title: 'our function', code, variables, event, freshEvents },
    ],
    close: async () => {
      await Promise.all([kms.close(), issuer.close()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The development environment with one issuer, one rule, one key. */
function configFor(issuer: HttpsIssuer, keyArn: string): EnvironmentConfig {
  return {
    ...dev,
    identity: {
      issuers: [
        {
          type: 'oidc',
          issuer: issuer.issuer,
          jwksUri: issuer.jwksUri,
          audience: 'codec',
          from: 'authorization',
        },
      ],
      serviceTokens: null,
    },
    access: [
      { name: 'bench', namespaces: ['bench.*'], people: [{ emailDomain: 'example.com' }], allow: ['decode', 'encode'] },
    ],
    keys: { keyring: null, kms: [{ namespaces: ['*'], write: keyArn }], staticKeys: null },
  };
}

/** The function as it is deployed, with its configuration beside it. */
async function functionFor(
  folder: string,
  { deployment: _, ...config }: EnvironmentConfig,
): Promise<{ readonly code: string; readonly startBytes: number }> {
  const built = join(folder, 'built');
  const code = join(folder, 'ours');
  const [atStart] = loadedParts(await buildFunction(built));
  putTogether(built, code, { environment: 'bench', config, restApi: false, codecs: undefined });
  return { code, startBytes: atStart?.bytes ?? Number.NaN };
}

/** Bundles a floor as anybody would. */
function floor(folder: string, name: 'empty' | 'kms'): string {
  const code = join(folder, name);
  buildSync({
    entryPoints: [join(PROJECT_ROOT, 'bench', 'cold', `floor-${name}.mjs`)],
    outfile: join(code, 'index.mjs'),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    minify: true,
    sourcemap: 'linked',
    sourcesContent: false,
    banner: { js: REQUIRE },
    logLevel: 'warning',
  });
  return code;
}

/** What API Gateway hands over for a Web UI's `/decode` of one payload under a data key of its own. */
async function decodeEvent(kms: KmsStandIn, keyArn: string, token: string): Promise<unknown> {
  const pairings = [{ namespaces: [NAMESPACE], write: keyArn }];
  const source = createKmsDataKeys({ pairings, kms: createKms({ client: kms.client }) });
  const codec = createPayloadCodec({ namespace: NAMESPACE, keys: { source } });
  const random = seededRandom(7);
  const payloads = await sealWith([codec])([plainJson(JSON_BYTES, random)], random);
  codec.close();
  return {
    version: '2.0',
    routeKey: 'POST /{proxy+}',
    rawPath: '/decode',
    rawQueryString: 'preserveStorageRefs=true',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      origin: 'https://cloud.temporal.io',
      'x-namespace': NAMESPACE,
    },
    requestContext: {
      http: { method: 'POST', path: '/decode', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'bench' },
      requestId: 'bench',
      stage: '$default',
    },
    body: JSON.stringify({ payloads }),
    isBase64Encoded: false,
  };
}

function inAnHour(): number {
  return Math.floor(Date.now() / 1000) + 3600;
}
