/** Our own server as it is run, in the settings that are measured. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createPayloadCodec } from '../../codec/index.ts';
import { readOrMakeKeyringFile } from '../../codec/keys/keyring/keyring-file.ts';
import { createKms } from '../../codec/keys/kms/kms.ts';
import { createKmsDataKeys } from '../../codec/keys/worker-keys.ts';
import { HttpsIssuer } from '../../test/support/https-issuer.ts';
import { testCertificate } from '../../test/support/https-stand-in.ts';
import { KmsStandIn } from '../../test/support/kms-stand-in.ts';
import type { Entered } from '../contestants.ts';
import { NAMESPACE, sealAsSamples, sealWith } from '../formats.ts';

const COMMAND = fileURLToPath(new URL('../../bin/codec-server.ts', import.meta.url));
const GUARDED = fileURLToPath(new URL('./guarded-server.ts', import.meta.url));
const UNLIMITED_CONFIG = fileURLToPath(new URL('./unlimited-config.ts', import.meta.url));
const KMS_CONFIG = fileURLToPath(new URL('./kms-config.ts', import.meta.url));

/** The options that `npm start` gives Node. */
const NODE_OPTIONS = optionsOfStart();

/** Data keys that a page of payloads from several workers is spread over. */
const KMS_DATA_KEYS = 4;
/** People whose tokens come in turn. */
const PEOPLE = 20;

/** `codec-server start`, as a developer starts it. */
export async function enterLocal(): Promise<Entered> {
  const folder = await temporaryFolder();
  return {
    command: { file: process.execPath, args: [...NODE_OPTIONS, COMMAND, 'start', '--port', '0'], cwd: folder.path },
    seal: sealAsSamples,
    close: folder.remove,
  };
}

/** The same with payloads in our format, of one worker under the keyring of the server. */
export async function enterOwnFormat(): Promise<Entered> {
  const folder = await temporaryFolder();
  const keyring = join(folder.path, 'keyring.json');
  readOrMakeKeyringFile(keyring);
  return {
    command: {
      file: process.execPath,
      args: [...NODE_OPTIONS, COMMAND, 'start', '--port', '0', '--keyring', keyring],
      cwd: folder.path,
    },
    seal: sealWith([createPayloadCodec({ namespace: NAMESPACE, keys: { keyring } })]),
    close: folder.remove,
  };
}

/** The same with limits that let any request through: for watching cost grow. */
export async function enterUnlimited(): Promise<Entered> {
  const { command, ...rest } = await enterLocal();
  return { ...rest, command: command && { ...command, args: [...command.args, '--config', UNLIMITED_CONFIG] } };
}

/** The pipeline alone. */
export async function enterInProcess(format: 'samples' | 'own'): Promise<Entered> {
  const folder = await temporaryFolder();
  const keyring = join(folder.path, 'keyring.json');
  readOrMakeKeyringFile(keyring);
  const codec = createPayloadCodec({ namespace: NAMESPACE, keys: { keyring } });
  return {
    command: undefined,
    keyring,
    seal: format === 'samples' ? sealAsSamples : sealWith([codec]),
    close: folder.remove,
  };
}

/** The same with data keys from KMS, of as many workers as there are data keys. */
export async function enterOwnFormatWithKms(): Promise<Entered> {
  const folder = await temporaryFolder();
  const standIn = await KmsStandIn.start();
  const arn = standIn.createKey();
  const codecs = Array.from({ length: KMS_DATA_KEYS }, () => {
    const pairings = [{ namespaces: [NAMESPACE], write: arn }];
    const source = createKmsDataKeys({ pairings, cache: {}, kms: createKms({ client: standIn.client }) });
    return createPayloadCodec({ namespace: NAMESPACE, keys: { source } });
  });
  return {
    command: {
      file: process.execPath,
      args: [...NODE_OPTIONS, COMMAND, 'start', '--port', '0', '--config', KMS_CONFIG],
      cwd: folder.path,
      env: {
        BENCH_KMS_KEY: arn,
        AWS_ENDPOINT_URL_KMS: standIn.endpoint,
        AWS_ACCESS_KEY_ID: 'bench',
        AWS_SECRET_ACCESS_KEY: 'bench',
      },
    },
    seal: sealWith(codecs),
    close: async () => {
      await standIn.close();
      await folder.remove();
    },
  };
}

/** With everything that an environment on AWS has: verified tokens, rules, the audit log and metrics. */
export async function enterGuarded(): Promise<Entered> {
  const folder = await temporaryFolder();
  const certificate = join(folder.path, 'issuer.pem');
  await writeFile(certificate, testCertificate().cert);
  const issuer = await HttpsIssuer.start();
  return {
    command: {
      file: process.execPath,
      args: [...NODE_OPTIONS, GUARDED],
      cwd: folder.path,
      env: {
        BENCH_ISSUER: issuer.issuer,
        BENCH_JWKS: issuer.jwksUri,
        NODE_EXTRA_CA_CERTS: certificate,
      },
    },
    seal: sealAsSamples,
    headers: Array.from({ length: PEOPLE }, (_, person) => [`Authorization: Bearer ${tokenOf(issuer, person)}`]),
    close: async () => {
      await issuer.close();
      await folder.remove();
    },
  };
}

function optionsOfStart(): string[] {
  const { scripts } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const [, options] = /^exec node (.*?)bin\/codec-server\.ts start$/.exec(scripts.start) ?? [];
  if (options === undefined) throw new Error(`npm start is something else than this bench knows: ${scripts.start}`);
  return options.split(' ').filter((option) => option !== '');
}

function tokenOf(issuer: HttpsIssuer, person: number): string {
  return issuer.token({
    sub: `user|${person}`,
    aud: 'codec',
    email: `person-${person}@example.com`,
    email_verified: true,
    exp: Math.floor(Date.now() / 1000) + 6 * 3600,
  });
}

async function temporaryFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'codec-bench-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
