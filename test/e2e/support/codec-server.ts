/** The codec server as a person starts it: its own process, its own configuration file and keyring. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PayloadCodec } from '@temporalio/common';
import { createPayloadCodec } from '../../../codec/index.ts';
import { readOrMakeKeyringFile } from '../../../codec/keys/keyring/keyring-file.ts';
import type { CodecServerConfig } from '../../../config/schema.ts';
import local from '../../../environments/local.ts';
import { freePort } from '../../support/free-port.ts';
import type { Certificate } from './certificates.ts';
import { artifactRoot, projectRoot } from './paths.ts';
import { start } from './processes.ts';

/** How the server differs from `environments/local.ts`. */
export interface CodecServerOptions {
  readonly config?: Partial<CodecServerConfig>;
  /** Origins of Web UIs that may call. */
  readonly origins?: readonly string[];
  /** Serve HTTPS with it. */
  readonly certificate?: Certificate;
  /** Default: a free one. */
  readonly port?: number;
  /** For its process, such as a certificate authority to trust. */
  readonly env?: Readonly<Record<string, string>>;
  /** A file for everything that it prints, too. */
  readonly log?: string;
}

/** A running codec server. */
export interface CodecServer {
  /** Such as `http://127.0.0.1:12345`, without a trailing slash. */
  readonly origin: string;
  /** Its keyring, which other workers may share. */
  readonly keyringFile: string;
  /** The codec of a worker that has the same keyring. */
  workerCodec(namespace: string): PayloadCodec;
  /** Everything it has printed so far, its log included. */
  output(): string;
  /** Waits for something that it prints: an audit line is written behind its answer. @returns the first match */
  prints(pattern: RegExp): Promise<string>;
  stop(): Promise<void>;
}

/** Starts the codec server on a free loopback port, with a keyring of its own. */
export async function startCodecServer(options: CodecServerOptions = {}): Promise<CodecServer> {
  const directory = newDirectory('codec-server-');
  const keyringFile = join(directory, 'keyring.json');
  const config: CodecServerConfig = {
    ...local,
    cors: { origins: options.origins ?? [], credentials: true },
    ...options.config,
    keys: { ...local.keys, keyring: { file: keyringFile } },
  };
  const configFile = join(directory, 'config.mjs');
  writeFileSync(configFile, `export default ${JSON.stringify(config, null, 2)};\n`);

  const port = options.port ?? (await freePort());
  const { certificate } = options;
  const tls = certificate === undefined ? [] : ['--tls-cert', certificate.certFile, '--tls-key', certificate.keyFile];
  const program = join(projectRoot, 'bin/codec-server.ts');
  const args = ['start', '--audit', '--port', String(port), '--config', configFile, ...tls];
  const running = await start(process.execPath, [program, ...args], {
    cwd: directory,
    ready: new RegExp(`https?://\\S+:${port}`),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.log === undefined ? {} : { log: options.log }),
  });
  return {
    origin: `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    keyringFile,
    workerCodec: (namespace) => createPayloadCodec({ namespace, keys: { keyring: keyringFile } }),
    output: running.output,
    prints: running.prints,
    async stop() {
      await running.stop();
    },
  };
}

/** The codec of a worker whose keyring nobody else has. */
export function strangersCodec(namespace: string): PayloadCodec {
  const keyring = join(newDirectory('stranger-'), 'keyring.json');
  readOrMakeKeyringFile(keyring);
  return createPayloadCodec({ namespace, keys: { keyring } });
}

function newDirectory(prefix: string): string {
  mkdirSync(artifactRoot, { recursive: true });
  return mkdtempSync(join(artifactRoot, prefix));
}
