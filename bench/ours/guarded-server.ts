/**
 * The pipeline as the Lambda function has it (tokens of an issuer, rules, audit log, metrics) behind
 * the local server, so that what guarding costs can be compared over the same HTTP.
 */
import type { CodecServerConfig, IdentityConfig } from '../../config/schema.ts';
import { startLocalServer } from '../../lambda/node/local-server.ts';
import { allSinks, createAuditLog } from '../../lambda/server/audit/audit.ts';
import { LineBuffer } from '../../lambda/server/audit/logger.ts';
import { createMetrics } from '../../lambda/server/audit/metrics.ts';
import { createCodecServer } from '../../lambda/server/create-codec-server.ts';
import { LAMBDA_LIMITS } from '../../lambda/server/http/message.ts';
import { openIdentity } from '../../lambda/server/open-identity.ts';
import { openServerKeys } from '../../lambda/server/open-keys.ts';

const identityConfig: IdentityConfig = {
  issuers: [
    {
      type: 'oidc',
      issuer: process.env['BENCH_ISSUER'] ?? '',
      jwksUri: process.env['BENCH_JWKS'] ?? '',
      audience: 'codec',
      from: 'authorization',
    },
  ],
  serviceTokens: null,
};
const config: CodecServerConfig = {
  defaultNamespace: null,
  cors: { origins: ['http://localhost:8233'], credentials: false },
  failures: 'explain',
  compression: null,
  identity: identityConfig,
  access: [
    { name: 'auditors', namespaces: ['*'], people: [{ email: 'auditor@example.org' }], allow: ['decode'] },
    { name: 'bench', namespaces: ['bench.*'], people: [{ emailDomain: 'example.com' }], allow: ['decode', 'encode'] },
  ],
  keys: { keyring: null, kms: null, staticKeys: { samplesTestKey: true } },
};

const lines = new LineBuffer((text) => void process.stdout.write(text));
const write = lines.keepForThisTurn;
const identity = await openIdentity(identityConfig, { cwd: process.cwd() });
const keys = await openServerKeys(config.keys, { cwd: process.cwd() });
const pipeline = createCodecServer(
  config,
  {
    keys,
    authenticator: identity.authenticator,
  },
  {
    audit: allSinks(createAuditLog(write), createMetrics(write, 'bench')),
    limits: LAMBDA_LIMITS,
    onBug: (error) => void process.stderr.write(`${error}\n`),
  },
);
await identity.warmUp();
const server = await startLocalServer({
  pipeline,
  cors: config.cors,
  bodyBytes: LAMBDA_LIMITS.bodyBytes,
  port: 0,
});
write(`listening ${server.port}`);
