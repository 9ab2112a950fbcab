/** `codec-server start`: the codec server on this machine. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { CodecError } from '../codec/errors.ts';
import { ConfigFileError, checkConfig, loadConfigFile } from '../config/check.ts';
import { formatProblems } from '../config/problem.ts';
import type { CodecServerConfig } from '../config/schema.ts';
import { startLocalServer } from '../lambda/node/local-server.ts';
import { allSinks, createAuditLog } from '../lambda/server/audit/audit-log.ts';
import { LineBuffer, type Logger } from '../lambda/server/audit/logger.ts';
import { observeIdentity, observeKeys } from '../lambda/server/audit/observe.ts';
import { loopbackAuthenticator } from '../lambda/server/auth/authenticator.ts';
import { createCodecServer } from '../lambda/server/create-codec-server.ts';
import { LOCAL_LIMITS } from '../lambda/server/http/message.ts';
import { isLoopbackAddress } from '../lambda/server/http/origin.ts';
import { type OpenedIdentity, openIdentity } from '../lambda/server/open-identity.ts';
import { KeysNotHereError, openServerKeys } from '../lambda/server/open-keys.ts';
import { LOCAL_ANSWER_BYTES, openStorage } from '../lambda/server/open-storage.ts';
import type { CommandIo } from './command.ts';
import { createTerminalLogger } from './start-log.ts';
import { curlThatDecodes, startMessage } from './start-message.ts';
import { createRefusals } from './start-refusals.ts';

const DEFAULT_PORT = 8888;

export const START_USAGE = `Usage: codec-server start [options]

Serves /decode and /encode on this machine until Ctrl-C.

  --port PORT        default: ${DEFAULT_PORT}; 0 takes any that is free
  --host HOST        address to listen on (default: both loopback addresses, 127.0.0.1 and ::1);
                     any other needs a configuration that verifies who calls
  --keyring FILE     the file of wrapping keys, made when there is none
                     (default: keys.keyring.file of the configuration)
  --config FILE      a TypeScript or JavaScript module whose default export is the configuration
                     (default: the package's environments/local.ts)
  --origin ORIGIN    allow the pages of one more origin, such as http://localhost:8080; may be given more than once
  --tls-cert FILE    serve https with this certificate (PEM), which the Web UI needs to pass its token
  --tls-key FILE     and this private key (PEM)
  --audit, --no-audit  print the audit line of every request, or none. Default: where the configuration has an identity
  --help

Exit code: 0 stopped, 1 it could not start, or nobody takes its output any more, 2 wrong usage.
`;

/** A reason not to start; the message is one sentence for the person who typed the command. */
class CannotStartError extends Error {
  override readonly name: string = 'CannotStartError';
}

/** Options that make no sense, whatever is in the files they name. */
class WrongUsageError extends CannotStartError {
  override readonly name = 'WrongUsageError';
}

/**
 * Starts the server and stays until `stop` is aborted and the requests in flight are answered.
 *
 * @returns the exit code: 0, 1 or 2, as {@link START_USAGE} says
 */
export async function start(argv: readonly string[], io: CommandIo, stop: AbortSignal): Promise<number> {
  try {
    const flags = parseFlags(argv);
    if (flags.help) {
      io.stdout.write(START_USAGE);
      return 0;
    }
    await serve(flags, io, stop);
    return 0;
  } catch (error) {
    const known =
      error instanceof CannotStartError ||
      error instanceof CodecError ||
      error instanceof ConfigFileError ||
      error instanceof KeysNotHereError;
    if (!known) throw error;
    io.stderr.write(`codec-server: ${error.message}\n`);
    return error instanceof WrongUsageError ? 2 : 1;
  }
}

type Flags = ReturnType<typeof parseFlags>;

function parseFlags(argv: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        port: { type: 'string', default: String(DEFAULT_PORT) },
        host: { type: 'string' },
        keyring: { type: 'string' },
        config: { type: 'string' },
        origin: { type: 'string', multiple: true, default: [] },
        'tls-cert': { type: 'string' },
        'tls-key': { type: 'string' },
        audit: { type: 'boolean' },
        'no-audit': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    const port = Number(values.port);
    if (!/^\d{1,5}$/.test(values.port) || port > 65_535)
      throw new WrongUsageError(`--port ${JSON.stringify(values.port)} is no port: give a number from 0 to 65535.`);
    if ((values['tls-cert'] === undefined) !== (values['tls-key'] === undefined))
      throw new WrongUsageError('Give --tls-cert and --tls-key together.');
    for (const origin of values.origin)
      if (!/^https?:/.test(origin) || URL.parse(origin)?.origin !== origin)
        throw new WrongUsageError(
          `--origin ${JSON.stringify(origin)} is not an origin: give scheme, host and port as the browser sends them, such as http://localhost:8080.`,
        );
    const { host, keyring, config, audit, help } = values;
    return {
      port,
      host: host === 'localhost' ? undefined : host,
      keyring,
      config,
      origins: values.origin,
      audit: values['no-audit'] ? false : audit,
      help,
      cert: values['tls-cert'],
      key: values['tls-key'],
    };
  } catch (error) {
    if (error instanceof WrongUsageError) throw error;
    throw new WrongUsageError(`${(error as Error).message.split('. ')[0]}. See codec-server start --help.`);
  }
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
    const pipeline = createCodecServer(config, {
      keys,
      authenticator: identity.authenticator,
      roles: identity.roles,
      storage: external.storage,
      signIn: identity.signIn,
      audit: audits(flags, config) ? allSinks(createAuditLog(auditLines.keepForThisTurn), refusals) : refusals,
      limits: LOCAL_LIMITS,
      onBug: (error, requestId) => logger.error('a request failed by a bug', { requestId }, error),
    });
    const server = await listening(flags, () =>
      startLocalServer({
        pipeline,
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
      'configure identity, or leave --host away.',
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
  const openSignIn = identity.signIn
    ? (await import('../lambda/server/sign-in/open-sign-in.ts')).openSignIn
    : undefined;
  const opened = await openIdentity(identity, { cwd, openSignIn, ...observeIdentity(logger, undefined) });
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
  if (!text.includes('-----BEGIN ')) throw new CannotStartError(`${flag}: ${path} is no PEM file.`);
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
      throw new CannotStartError('--tls-cert and --tls-key are no certificate and its private key, in PEM.');
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
