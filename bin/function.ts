/**
 * The Lambda function as the package brings it, built once: its configuration is the file `config.json` beside it, and
 * codecs of a team's own are the module `codecs.mjs`. What a configuration does not use is in files that it never loads.
 */
import { readFileSync } from 'node:fs';
import type { CodecServerConfig, CustomCodecConfig } from '../config/schema.ts';
import { startFunction } from '../lambda/handler.ts';

/** What `lib/function-code.ts` writes into `config.json`. */
interface PrebuiltSettings {
  readonly environment: string;
  readonly config: CodecServerConfig;
  /** Whether events come from a REST API; else from an HTTP API. */
  readonly restApi: boolean;
  /** Whether there is a `codecs.mjs`. */
  readonly codecs: boolean;
}

const settings = JSON.parse(readFileSync(new URL('config.json', import.meta.url), 'utf8')) as PrebuiltSettings;
const { environment, config, restApi } = settings;

async function ownCodecs(): Promise<{ codecs?: readonly CustomCodecConfig[] }> {
  if (!settings.codecs) return {};
  const module = (await import(new URL('codecs.mjs', import.meta.url).href)) as {
    readonly default: readonly CustomCodecConfig[];
  };
  return { codecs: module.default };
}

/** The handler that Lambda calls. */
export const handler = await startFunction({ ...config, ...(await ownCodecs()) }, environment, {
  restApi,
  variables: process.env,
  write: (line) => void process.stdout.write(`${line}\n`),
});
