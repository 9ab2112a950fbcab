/** `codec-server start`: the codec server on this machine. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { CodecError } from '../codec/errors.ts';
import { ConfigFileError, checkConfig, loadConfigFile } from '../config/check.ts';
import { formatProblems } from '../config/problem.ts';
import type { CodecServerConfig } from '../config/schema.ts';
import { withFrontPage } from '../lambda/node/front-page.ts';
import { startLocalServer } from '../lambda/node/local-server.ts';
import { allSinks, createAuditLog } from '../lambda/server/audit/audit.ts';
import { LineBuffer, type Logger } from '../lambda/server/audit/logger.ts';
import { observeIdentity, observeKeys } from '../lambda/server/audit/observe.ts';
import { loopbackAuthenticator } from '../lambda/server/auth/authenticator.ts';
import { createCodecServer } from '../lambda/server/create-codec-server.ts';
import { LOCAL_LIMITS } from '../lambda/server/http/message.ts';
import { isLoopbackAddress } from '../lambda/server/http/origin.ts';
import { type OpenedIdentity, openIdentity } from '../lambda/server/open-identity.ts';
import { NotHereError, openServerKeys } from '../lambda/server/open-keys.ts';
import { LOCAL_ANSWER_BYTES, openStorage } from '../lambda/server/open-storage.ts';
import type { CommandIo } from './command.ts';
import { createCommand, type Given, UsageError } from './run-command.ts';
import { createRefusals, createTerminalLogger } from './start-log.ts';
import { curlThatDecodes, startMessage } from './start-message.ts';

/** A reason not to start; the message is one sentence for the person who typed the command. */
class CannotStartError extends Error {
  override readonly name: string = 'CannotStartError';
}

/** Starts the server and stays until `stop` is aborted and the requests in flight are answered. */
export const start = createCommand('start', async ({ values }, io, stop) => {
  const flags = flagsOf(values);
  try {
    await serve(flags, io, stop);
    return 0;
  } catch (error) {
    const known =
      error instanceof CannotStartError ||
      error instanceof CodecError ||
      error instanceof ConfigFileError ||
      error instanceof NotHereError;
    if (!known) throw error;
    io.stderr.write(`codec-server: ${error.message}\n`);
    return 1;
  }
});

type Flags = ReturnType<typeof flagsOf>;

function flagsOf(values: Given<'start'>['values']) {
  const { host, keyring, config, origin: origins = [], audit, 'tls-cert': cert, 'tls-key': key } = values;
  const port = Number(values.port);
  if (!/^\d{1,5}$/.test(values.port) || port > 65_535)
    throw new UsageError(`--port ${JSON.stringify(values.port)} is not a port: give a number from 0 to 65535.`);
  if ((cert === undefined) !== (key === undefined)) throw new UsageError('give --tls-cert and --tls-key together.');
  for (const origin of origins)
    if (!/^https?:/.test(origin) || URL.parse(origin)?.origin !== origin)
      throw new UsageError(
        `--origin ${JSON.stringify(origin)} is not an origin: give scheme, host and port as the browser sends them, such as http://localhost:8080.`,
      );
  const audits = values['no-audit'] ? false : audit;
  return { port, host: host === 'localhost' ? undefined : host, keyring, config, origins, audit: audits, cert, key };
}

/** Where callers are known, who read what is written down unless that is declined. */
function audits({ audit }: Flags, { identity }: CodecServerConfig): boolean {
  return audit ?? identity !== null;
}

async function serve(flags: Flags, io: CommandIo, stop: AbortSignal): Promise<void> {
  const { config, file } = await loadConfig(flags, io);
  refuseOpenDoor(config, flags, file);
  const tls = readTls(flags, io);
  refuseSignInOverHttp(config, tls !== undefined);
  const auditLines = new LineBuffer((text) => void io.stdout.write(text));
  const tell = (line: string) => void io.stderr.write(`${line}\n`);
  const logger = createTerminalLogger(tell);
  const refusals = createRefusals(tell);
  const identity = await openCallers(config, io, logger);
  const keys = await openServerKeys(config.keys, { cwd: io.cwd, ...observeKeys(logger, undefined) });
  const external = await openStorage(config.storage, { answerBytes: LOCAL_ANSWER_BYTES });
  try {
    const pipeline = createCodecServer(
      config,
      {
        ...identity,
        keys,
        storage: external.storage,
      },
      {
        audit: audits(flags, config) ? allSinks(createAuditLog(auditLines.keepForThisTurn), refusals) : refusals,
        limits: LOCAL_LIMITS,
        onBug: (error, requestId) => logger.error('a request failed by a bug', { requestId }, error),
      },
    );
    const server = await listening(flags, () =>
      startLocalServer({
        pipeline: identity.signIn === undefined ? withFrontPage(pipeline) : pipeline,
        cors: config.cors,
        authenticator: identity?.authenticator,
        bodyBytes: config.limits?.bodyBytes ?? LOCAL_LIMITS.bodyBytes,
        host: flags.host,
        port: flags.port,
        tls,
        onBug: (error) => logger.error('the server failed by a bug', {}, error),
        onTurnedAway: (request) => refusals.turnedAway(request),
      }),
    );
    const endpoint = `${tls === undefined ? 'http' : 'https'}://${nameOf(flags.host)}:${server.port}`;
    // Where callers have to prove who they are, nobody here can.
    const namespace = config.defaultNamespace ?? 'default';
    const curl = config.identity === null ? await curlThatDecodes(pipeline, endpoint, namespace) : undefined;
    io.stdout.write(
      startMessage({
        endpoint,
        addresses: server.addresses,
        keyring: keys.keyring,
        curl,
        origins: config.cors.origins,
        asksWho: config.identity !== null,
        certificate: flags.cert === undefined ? undefined : resolve(io.cwd, flags.cert),
      }),
    );
    await aborted(stop);
    io.stdout.write('Finishing the requests in flight…\n');
    await server.close();
  } finally {
    auditLines.flush();
    keys.close();
    external.close();
  }
}

/** The configuration, checked as a whole, with the flags in it. */
async function loadConfig(flags: Flags, io: CommandIo): Promise<{ config: CodecServerConfig; file: string }> {
  const file = flags.config === undefined ? 'environments/local.ts' : resolve(io.cwd, flags.config);
  const loaded =
    flags.config === undefined ? (await import('../environments/local.ts')).default : await loadConfigFile(file);
  const problems = checkConfig(loaded);
  if (problems.length > 0)
    throw new CannotStartError(
      `The configuration ${file} has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${formatProblems(problems)}`,
    );
  const { cors, ...rest } = loaded as CodecServerConfig;
  const config = { ...rest, cors: { ...cors, origins: [...new Set([...cors.origins, ...flags.origins])] } };
  if (flags.keyring === undefined) return { config, file };
  const keyring = { ...config.keys.keyring, file: flags.keyring };
  return { config: { ...config, keys: { ...config.keys, keyring } }, file };
}

/** A server that asks nobody who they are is for this machine alone. */
function refuseOpenDoor({ identity }: CodecServerConfig, { host }: Flags, file: string): void {
  if (identity !== null || host === undefined || isLoopbackAddress(host)) return;
  throw new CannotStartError(
    `On ${host} others could reach this server, and ${file} asks nobody who they are (identity: null): ` +
      'configure identity, or leave --host out.',
  );
}

/** On this machine nothing else could speak https for this server; elsewhere a proxy in front of it may. */
function refuseSignInOverHttp({ identity }: CodecServerConfig, hasTls: boolean): void {
  const publicUrl = identity?.signIn?.publicUrl;
  if (publicUrl === undefined || hasTls || !isLoopbackAddress(URL.parse(publicUrl)?.hostname ?? '')) return;
  throw new CannotStartError(
    `People sign in at ${publicUrl} (identity.signIn.publicUrl), and this server would speak plain http: start it with --tls-cert and --tls-key.`,
  );
}

async function openCallers(
  { identity }: CodecServerConfig,
  { cwd }: CommandIo,
  logger: Logger,
): Promise<Pick<OpenedIdentity, 'authenticator' | 'roles' | 'signIn'>> {
  if (identity === null) return { authenticator: loopbackAuthenticator, roles: undefined, signIn: undefined };
  const opened = await openIdentity(identity, { cwd, ...observeIdentity(logger, undefined) });
  void opened.warmUp();
  return opened;
}

function readTls({ cert, key }: Flags, { cwd }: CommandIo): { cert: string; key: string } | undefined {
  if (cert === undefined || key === undefined) return undefined;
  return { cert: readPem(resolve(cwd, cert), '--tls-cert'), key: readPem(resolve(cwd, key), '--tls-key') };
}

function readPem(path: string, flag: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new CannotStartError(`${flag}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
  if (!text.includes('-----BEGIN ')) throw new CannotStartError(`${flag}: ${path} is not a PEM file.`);
  return text;
}

/** Starts to listen, or says in one sentence why that is not possible. */
async function listening<T>({ host, port }: Flags, listen: () => Promise<T>): Promise<T> {
  try {
    return await listen();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      throw new CannotStartError(
        `Port ${port} is taken: stop what listens there, perhaps another codec server, or choose another with --port.`,
      );
    if (code === 'EACCES')
      throw new CannotStartError(`Port ${port} may not be used: choose one from 1024 with --port.`);
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN')
      throw new CannotStartError(`This machine has no address ${host ?? 'localhost'}: correct --host.`);
    if (code?.startsWith('ERR_OSSL') || code?.startsWith('ERR_SSL') || /PEM|key values mismatch/i.test(message))
      throw new CannotStartError('--tls-cert and --tls-key are not a certificate and its private key, in PEM.');
    throw error;
  }
}

/** The name to paste: `localhost`, which both loopback addresses answer to, or the one that was asked for. */
function nameOf(host: string | undefined): string {
  if (host === undefined || host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
