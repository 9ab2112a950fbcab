/** The local server over TLS, as an attack target: everything but the listening address as in `npm start`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KeySource } from '../../codec/keys/key-source.ts';
import type { CodecServerConfig } from '../../config/schema.ts';
import local from '../../environments/local.ts';
import { startLocalServer } from '../../lambda/node/local-server.ts';
import type { AuditEntry } from '../../lambda/server/audit/audit.ts';
import { createHttpsGet } from '../../lambda/server/auth/https-get.ts';
import { createCodecServer } from '../../lambda/server/create-codec-server.ts';
import { LOCAL_LIMITS } from '../../lambda/server/http/message.ts';
import { openIdentity } from '../../lambda/server/open-identity.ts';
import { openServerKeys } from '../../lambda/server/open-keys.ts';
import { testCertificate } from '../support/https-stand-in.ts';
import { type AttackConfig, type AttackTarget, sendRaw } from './target.ts';

/** The local server, and what its audit log says. */
export interface LocalTarget extends AttackTarget {
  readonly audit: readonly AuditEntry[];
  /** Bugs reported. */
  readonly bugs: readonly unknown[];
  /** The file of service tokens that it reads. */
  readonly tokensFile: string;
}

export async function startLocalTarget(attack: AttackConfig): Promise<LocalTarget> {
  const folder = mkdtempSync(join(tmpdir(), 'attack-'));
  const tokensFile = join(folder, 'tokens.json');
  writeFileSync(tokensFile, attack.serviceTokens, { mode: 0o600 });
  const config: CodecServerConfig = {
    ...local,
    cors: { origins: [attack.origin], credentials: false },
    identity: { ...attack.identity, serviceTokens: { file: 'tokens.json' } },
    access: attack.access,
    keys: { ...local.keys, keyring: { file: 'keyring.json' } },
  };
  const opened = await openServerKeys(config.keys, { cwd: folder });
  const identity = await openIdentity(config.identity as NonNullable<typeof config.identity>, {
    cwd: folder,
    httpsGet: createHttpsGet(attack.certificate),
  });
  let keyCalls = 0;
  const source: KeySource = {
    unwrap(request, context) {
      keyCalls++;
      return opened.source.unwrap(request, context);
    },
    materialsFor(encryptionContext, length, context) {
      keyCalls++;
      return opened.source.materialsFor(encryptionContext, length, context);
    },
  };
  const audit: AuditEntry[] = [];
  const bugs: unknown[] = [];
  const pipeline = createCodecServer(config, {
    keys: { ...opened, source },
    authenticator: identity.authenticator,
    roles: identity.roles,
    audit: { record: (entry) => audit.push(entry) },
    limits: LOCAL_LIMITS,
    onBug: (error) => bugs.push(error),
  });
  const { cert, key } = testCertificate();
  const server = await startLocalServer({
    pipeline,
    cors: config.cors,
    authenticator: identity.authenticator,
    bodyBytes: LOCAL_LIMITS.bodyBytes,
    port: 0,
    tls: { cert, key },
    onBug: (error) => bugs.push(error),
  });
  return {
    audit,
    bugs,
    tokensFile,
    keyCalls: () => keyCalls,
    send: (request) => sendRaw(request, { port: server.port, ca: cert }),
    async close() {
      await server.close(0);
      opened.close();
      rmSync(folder, { recursive: true });
    },
  };
}
