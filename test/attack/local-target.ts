/** The local server over TLS, as an attack target: everything but the listening address as in `npm start`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KeySource } from '../../codec/keys/key-source.ts';
import type { CodecServerConfig } from '../../config/schema.ts';
import local from '../../environments/local.ts';
import { startLocalServer } from '../../lambda/node/local-server.ts';
import type { AuditEntry } from '../../lambda/server/audit/audit.ts';
import { createLogger } from '../../lambda/server/audit/logger.ts';
import { observeIdentity, observeKeys } from '../../lambda/server/audit/observe.ts';
import { createHttpsGet } from '../../lambda/server/auth/https-get.ts';
import { createCodecServer } from '../../lambda/server/create-codec-server.ts';
import { LOCAL_LIMITS } from '../../lambda/server/http/message.ts';
import { openIdentity } from '../../lambda/server/open-identity.ts';
import { openServerKeys } from '../../lambda/server/open-keys.ts';
import { auditLine } from '../support/audit-entry.ts';
import { testCertificate } from '../support/https-stand-in.ts';
import { type AttackConfig, type AttackTarget, type AuditLine, eventually, sendRaw } from './target.ts';

/** The local server, and what its audit log says. */
export interface LocalTarget extends AttackTarget {
  readonly audit: readonly AuditEntry[];
  /** Bugs reported. */
  readonly bugs: readonly unknown[];
  /** The file of service tokens that it reads. */
  readonly tokensFile: string;
  readonly port: number;
  /** The certificate to trust. */
  readonly ca: string;
}

export async function startLocalTarget(attack: AttackConfig): Promise<LocalTarget> {
  const folder = mkdtempSync(join(tmpdir(), 'attack-'));
  const tokensFile = join(folder, 'tokens.json');
  const putServiceTokens = (text: string) => writeFileSync(tokensFile, text, { mode: 0o600 });
  putServiceTokens(attack.serviceTokens);
  writeFileSync(join(folder, 'api-key'), attack.cloudApiKey, { mode: 0o600 });
  const surroundings = {
    AWS_ENDPOINT_URL_KMS: attack.kms.endpoint,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  };
  const outside = Object.keys(surroundings).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, surroundings);

  const audit: AuditEntry[] = [];
  const bugs: unknown[] = [];
  const log: string[] = [];
  const own = { keyCalls: 0 };
  const { cert: ca } = testCertificate();
  const realNow = Date.now;
  let moved = 0;
  const start = () => startServer(attack, folder, { audit, bugs, log, own });
  let running = await start();
  const restart = async () => {
    await running.close();
    Date.now = realNow;
    moved = 0;
    running = await start();
  };
  return {
    audit,
    bugs,
    tokensFile,
    ca,
    get port() {
      return running.port;
    },
    keyCalls: () => own.keyCalls,
    send: (request) => sendRaw(request, { port: running.port, ca }),
    auditLine: (requestId) =>
      eventually(`audit entry of ${requestId}`, () => {
        const entry = audit.find((it) => it.requestId === requestId);
        return entry && (JSON.parse(auditLine(entry)) as AuditLine);
      }),
    async logged(...texts) {
      // A developer's machine counts nothing.
      const ofLog = texts.filter((text) => !text.startsWith('"SecretsUnusable"'));
      await eventually('line of the log', () => log.find((line) => ofLog.every((text) => line.includes(text))));
    },
    putServiceTokens,
    async later(milliseconds) {
      moved += milliseconds;
      Date.now = () => realNow() + moved;
    },
    now: () => Date.now(),
    restart,
    async close() {
      Date.now = realNow;
      await running.close();
      for (const [name, value] of outside) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
      rmSync(folder, { recursive: true });
    },
  };
}

interface Records {
  readonly audit: AuditEntry[];
  readonly bugs: unknown[];
  readonly log: string[];
  readonly own: { keyCalls: number };
}

async function startServer(attack: AttackConfig, folder: string, { audit, bugs, log, own }: Records) {
  const config: CodecServerConfig = {
    ...local,
    cors: { origins: [attack.origin], credentials: false },
    identity: {
      ...attack.identity,
      serviceTokens: { file: 'tokens.json' },
      temporalCloudRoles: { ...attack.identity.temporalCloudRoles, apiKey: { file: 'api-key' } },
    },
    access: attack.access,
    keys: { ...local.keys, keyring: null, kms: attack.keys },
  };
  const logger = createLogger((line) => log.push(line), 'DEBUG');
  const onBug = (error: unknown) => bugs.push(error);
  const opened = await openServerKeys(config.keys, { cwd: folder, ...observeKeys(logger, undefined) });
  const identity = await openIdentity(config.identity as NonNullable<typeof config.identity>, {
    cwd: folder,
    httpsGet: createHttpsGet(attack.certificate),
    ...observeIdentity(logger, undefined),
  });
  const source: KeySource = {
    unwrap(request, context) {
      own.keyCalls++;
      return opened.source.unwrap(request, context);
    },
    materialsFor(encryptionContext, length, context) {
      own.keyCalls++;
      return opened.source.materialsFor(encryptionContext, length, context);
    },
  };
  const server = await startLocalServer({
    pipeline: createCodecServer(
      config,
      {
        keys: { ...opened, source },
        authenticator: identity.authenticator,
        roles: identity.roles,
      },
      {
        audit: { record: (entry) => audit.push(entry) },
        limits: LOCAL_LIMITS,
        onBug,
      },
    ),
    cors: config.cors,
    authenticator: identity.authenticator,
    bodyBytes: LOCAL_LIMITS.bodyBytes,
    port: 0,
    tls: testCertificate(),
    onBug,
  });
  return {
    port: server.port,
    async close() {
      await server.close(0);
      opened.close();
    },
  };
}
