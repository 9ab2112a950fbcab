/**
 * How to reach a Temporal server, said as to the Temporal CLI: by flags, by `TEMPORAL_…` variables, or by
 * a profile of its configuration file, in this order.
 *
 * @see https://docs.temporal.io/develop/environment-configuration
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isLoopbackHostname } from '../../config/addresses.ts';
import type { CONNECTION_OPTIONS } from '../commands.ts';
import { readGiven, UsageError } from '../run-command.ts';
import type { GrpcTarget, TlsSettings } from './grpc-client.ts';

/**
 * The part of TOML in which the Temporal CLI writes its profiles: tables, and keys with a string, a
 * number or a boolean. Anything else is an error that names its line.
 */

/** Tables by their dotted names; the one at the top is ''. */
export type TomlTables = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Text that is not of that part. The message names the line. */
class TomlError extends Error {
  override readonly name = 'TomlError';
}

const LAST_PORT = 65_535;
const NAME = /[A-Za-z0-9_-]+|"[^"\\]*"|'[^']*'/;
const TABLE = new RegExp(`^\\[\\s*((?:${NAME.source})(?:\\s*\\.\\s*(?:${NAME.source}))*)\\s*\\]$`);
const ENTRY = new RegExp(`^(${NAME.source})\\s*=\\s*(.+)$`);

/** @throws TomlError */
function parseToml(text: string): TomlTables {
  const tables: Record<string, Record<string, string>> = Object.create(null);
  let table: Record<string, string> = Object.create(null);
  tables[''] = table;
  for (const [index, written] of text.split(/\r?\n/).entries()) {
    const line = written.trim();
    if (line === '' || line.startsWith('#')) continue;
    const header = TABLE.exec(withoutComment(line))?.[1];
    if (header !== undefined) {
      const name = [...header.matchAll(new RegExp(NAME, 'g'))].map(([part]) => unquoted(part)).join('.');
      table = tables[name] ?? Object.create(null);
      tables[name] = table;
      continue;
    }
    const [, name, value] = ENTRY.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new TomlError(`line ${index + 1} is not understood`);
    table[unquoted(name)] = parsedValue(value, index + 1);
  }
  return tables;
}

function parsedValue(text: string, line: number): string {
  const basic = /^("(?:[^"\\]|\\.)*")\s*(?:#.*)?$/.exec(text)?.[1];
  if (basic !== undefined && !text.startsWith('"""')) {
    try {
      return JSON.parse(basic) as string;
    } catch {
      throw new TomlError(`line ${line} has a string that is not understood`);
    }
  }
  const literal = /^'([^']*)'\s*(?:#.*)?$/.exec(text)?.[1];
  if (literal !== undefined && !text.startsWith("'''")) return literal;
  const bare = withoutComment(text);
  if (/^(?:true|false|[+-]?\d+)$/.test(bare)) return bare;
  throw new TomlError(`line ${line} has a value that is not understood`);
}

function withoutComment(text: string): string {
  return text.replace(/\s*#[^"']*$/, '').trim();
}

function unquoted(name: string): string {
  return /^["']/.test(name) ? name.slice(1, -1) : name;
}

/** What was given. */
export type ConnectionFlags = {
  readonly [name in keyof typeof CONNECTION_OPTIONS]?: string | boolean | undefined;
};

/** A server and a namespace. */
export interface Connection extends GrpcTarget {
  readonly namespace: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws UsageError when what was given makes no connection */
export function connectionOf(flags: ConnectionFlags, env: Environment, cwd: string): Connection {
  const profile = readProfile(flags, env, cwd);
  const text = (flag: keyof ConnectionFlags, variable: string, inProfile: string): string | undefined =>
    (flags[flag] as string | undefined) ?? nonEmpty(env[variable]) ?? profile[inProfile];
  const file = (flag: keyof ConnectionFlags, variable: string, inProfile: string): Buffer | undefined => {
    const path = text(flag, `${variable}_PATH`, `tls.${inProfile}_path`);
    if (path !== undefined) return readGiven(path, cwd);
    const data = nonEmpty(env[`${variable}_DATA`]) ?? profile[`tls.${inProfile}_data`];
    return data === undefined ? undefined : Buffer.from(data, 'utf8');
  };
  const address = text('address', 'TEMPORAL_ADDRESS', 'address') ?? 'localhost:7233';
  const [, port] = /^(?:\[[0-9a-fA-F:]+\]|[^\s:/?#@\\%]+):(\d{1,5})$/.exec(address) ?? [];
  if (port === undefined || Number(port) > LAST_PORT)
    throw new UsageError(`--address ${JSON.stringify(address)} is not a host:port.`);
  const namespace = text('namespace', 'TEMPORAL_NAMESPACE', 'namespace') ?? 'default';
  const keyFile = flags['api-key-file'] as string | undefined;
  const apiKey =
    keyFile === undefined
      ? (nonEmpty(env['TEMPORAL_API_KEY']) ?? profile['api_key'])
      : readGiven(keyFile, cwd).toString('utf8').trim();
  const ca = file('tls-ca-path', 'TEMPORAL_TLS_SERVER_CA_CERT', 'server_ca_cert');
  const cert = file('tls-cert-path', 'TEMPORAL_TLS_CLIENT_CERT', 'client_cert');
  const key = file('tls-key-path', 'TEMPORAL_TLS_CLIENT_KEY', 'client_key');
  const servername = text('tls-server-name', 'TEMPORAL_TLS_SERVER_NAME', 'tls.server_name');
  const said = (flags.tls as boolean | undefined) ?? switchOf(nonEmpty(env['TEMPORAL_TLS'])) ?? tlsOf(profile);
  const tls: TlsSettings = {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(servername !== undefined && { servername }),
  };
  const isTls = said ?? (apiKey !== undefined || Object.keys(tls).length > 0);
  if (apiKey !== undefined && !isTls && !isLoopbackHostname(address.slice(0, address.lastIndexOf(':'))))
    throw new UsageError('An API key goes over TLS only: without it everybody on the way can read it.');
  return {
    address,
    namespace,
    tls: isTls ? tls : undefined,
    metadata: {
      'temporal-namespace': namespace,
      ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
    },
  };
}

function readProfile({ profile: named }: ConnectionFlags, env: Environment, cwd: string): Record<string, string> {
  const given = nonEmpty(env['TEMPORAL_CONFIG_FILE']);
  const path = given === undefined ? defaultConfigFile(env) : resolve(cwd, given);
  const name = (named as string | undefined) ?? nonEmpty(env['TEMPORAL_PROFILE']);
  if (path === undefined || !existsSync(path)) {
    if (named !== undefined) throw new UsageError(`There is no configuration file with the profile ${name}.`);
    return {};
  }
  const tables = readTables(path);
  const base = `profile.${name ?? 'default'}`;
  const isThere = Object.keys(tables).some((it) => it === base || it.startsWith(`${base}.`));
  if (name !== undefined && !isThere) throw new UsageError(`${path} has no profile ${JSON.stringify(name)}.`);
  const tls = Object.entries(tables[`${base}.tls`] ?? {}).map(([field, value]) => [`tls.${field}`, value]);
  return { ...tables[base], ...Object.fromEntries(tls) };
}

/** Where the CLI keeps it. */
function defaultConfigFile(env: Environment): string | undefined {
  const name = join('temporalio', 'temporal.toml');
  const config = nonEmpty(env['XDG_CONFIG_HOME']);
  if (config !== undefined) return join(config, name);
  const home = nonEmpty(env['HOME']);
  if (home === undefined) return nonEmpty(env['AppData']) === undefined ? undefined : join(env['AppData'] ?? '', name);
  const mac = join(home, 'Library', 'Application Support', name);
  return existsSync(mac) ? mac : join(home, '.config', name);
}

function tlsOf(profile: Readonly<Record<string, string>>): boolean | undefined {
  return profile['tls.disabled'] === 'true' ? false : switchOf(profile['tls']);
}

function switchOf(text: string | undefined): boolean | undefined {
  return text === undefined ? undefined : text === 'true' || text === '1';
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function readTables(path: string): TomlTables {
  try {
    return parseToml(readGiven(path, '/').toString('utf8'));
  } catch (error) {
    if (error instanceof TomlError) throw new UsageError(`${path}: ${error.message}.`);
    throw error;
  }
}
