/**
 * The codec as a plugin of the SDK, in one line for clients, workers, replays and the bundler. Each
 * gets the namespace that it already names itself.
 */
import type { DataConverter } from '@temporalio/common';
import { CodecOptionsError } from '../errors.ts';
import { failureConverterPath } from '../failure-converter-path.ts';
import { codecChain } from '../payload-codec.ts';
import { FAILURE_PART_NAME } from './failure-parts.ts';
import { type EncryptingPayloadCodec, NamespaceCodec } from './namespace-codec.ts';
import {
  type CodecSettings,
  checkNamespace,
  checkSettings,
  checkSwitch,
  checkWholeNumber,
  readPeers,
} from './options.ts';
import { bundleForReplay, codeOf, isForReplay, type WorkflowBundle } from './replay.ts';
import { type ClientInterceptors, DEFAULT_SUMMARY_BYTES, withSummaryCheck } from './summaries.ts';

/** Options of {@link encryptionPlugin}. */
export interface EncryptionPluginOptions extends CodecSettings {
  /** Encrypt messages and stack traces of failures, too. Default `true`. */
  readonly encryptFailures?: boolean;
  /**
   * Bytes that the server takes of the `summary` of a standalone Activity or Nexus operation, after encoding:
   * a longer one is refused before it is sent. Default 400, the server's own default.
   */
  readonly summaryBytes?: number;
}

interface NamespaceOptions {
  readonly namespace?: string | undefined;
  readonly dataConverter?: DataConverter | undefined;
}

interface ClientOptions {
  readonly interceptors?: ClientInterceptors | undefined;
}

interface BundleOptions {
  readonly failureConverterPath?: string | undefined;
}

/**
 * A plugin for `plugins` of a `Client`, of `Worker.create`, of `Worker.runReplayHistory` and of
 * `bundleWorkflowCode`. One plugin may serve all of a process, which then fetches each data key once.
 */
export interface EncryptionPlugin {
  readonly name: string;
  /**
   * The client refuses, with CannotEncodeError, a summary of a standalone Activity or Nexus operation that is too
   * long for the server once it is encrypted.
   */
  configureClient<T extends object>(options: T): T;
  /** @throws CodecOptionsError when the workflow bundle would store failures of workflows in plain text */
  configureWorker<T extends object>(options: T): T;
  /**
   * A replay reads payloads of any namespace that the keys open, and writes none: what it encodes is thrown away,
   * and its failures stay readable, since the error of the replay is the only place where they are told.
   */
  configureReplayWorker<T extends object>(options: T): T;
  configureBundler<T extends object>(options: T): T;
  /** Zeroes the data keys in memory. To be called when no client and no worker runs any more. */
  close(): void;
}

/** The namespace of a client or worker that names none. */
const DEFAULT_NAMESPACE = 'default';

/**
 * Makes the plugin. An SDK that knows none, such as 1.13, takes `createDataConverter`.
 *
 * ```ts
 * const plugins = [encryptionPlugin({ keys: { kms: 'arn:aws:kms:…' } })];
 * const client = new Client({ connection, namespace: 'orders-prod.a1b2c', plugins });
 * ```
 *
 * @throws CodecOptionsError when the keys are missing, or an option is unknown or wrong; what is wrong
 *   with the keys themselves is thrown where a client or worker is made
 */
export function encryptionPlugin(options: EncryptionPluginOptions): EncryptionPlugin {
  const { encryptFailures = true, summaryBytes = DEFAULT_SUMMARY_BYTES, ...settings } = { ...options };
  checkSettings(settings, ['encryptFailures', 'summaryBytes']);
  checkSwitch('encryptFailures', encryptFailures);
  checkWholeNumber('summaryBytes', summaryBytes, 1);
  readPeers(settings.alsoDecode);
  const codecs = new Map<string, EncryptingPayloadCodec>();
  const codecFor = (kind: 'live' | 'replay', namespace: string): EncryptingPayloadCodec => {
    checkNamespace(namespace);
    const name = `${kind} ${namespace}`;
    const codec = codecs.get(name) ?? new NamespaceCodec({ ...settings, namespace, replay: kind === 'replay' });
    codecs.set(name, codec);
    return codec;
  };
  const configure = <T extends object>(given: T, kind: 'live' | 'replay'): T & { dataConverter?: DataConverter } => {
    const { namespace = DEFAULT_NAMESPACE, dataConverter = {} } = given as NamespaceOptions;
    const { payloadCodecs = [] } = dataConverter;
    const codec = codecFor(kind, namespace);
    // The plugins of a connection are those of its clients and workers as well.
    if (payloadCodecs.some((it) => it === codec || chains.get(it) === codec)) return given;
    const chain = codecChain(payloadCodecs, codec);
    chains.set(chain, codec);
    const failures = encryptFailures && {
      failureConverterPath: dataConverter.failureConverterPath ?? failureConverterPath(),
    };
    return { ...given, dataConverter: { ...dataConverter, payloadCodecs: [chain], ...failures } };
  };
  const plugin: EncryptionPlugin = {
    name: 'temporal-codec-server',
    configureClient(given) {
      const configured = configure(given, 'live');
      const [codec] = configured.dataConverter?.payloadCodecs ?? [];
      if (configured === given || codec === undefined) return given;
      const { interceptors } = given as ClientOptions;
      return { ...configured, interceptors: withSummaryCheck(interceptors, codec, summaryBytes) };
    },
    configureWorker(given) {
      const configured = configure(given, 'live');
      if (encryptFailures) checkBundle(configured);
      return configured;
    },
    configureReplayWorker(given) {
      const configured = configure(given, 'replay');
      return configured === given ? given : readableFailures(configured, plugin);
    },
    configureBundler: (given) =>
      encryptFailures
        ? { ...given, failureConverterPath: (given as BundleOptions).failureConverterPath ?? failureConverterPath() }
        : given,
    close() {
      for (const codec of codecs.values()) codec.close();
    },
  };
  return plugin;
}

/** Codecs of the user's own with one of ours behind them. */
const chains = new WeakMap<object, EncryptingPayloadCodec>();

interface BundledWorker {
  readonly dataConverter?: DataConverter;
  readonly workflowBundle?: WorkflowBundle;
  readonly plugins?: readonly object[];
}

/**
 * Options of a replay whose failures stay readable, by a copy of its bundle, or by a bundle that is made for
 * it without our failure converter. What a failure converter of the user's own does is up to it.
 */
function readableFailures<T extends BundledWorker>(options: T, plugin: EncryptionPlugin): T {
  const { workflowBundle, plugins, dataConverter } = options;
  if (workflowBundle !== undefined) return { ...options, workflowBundle: bundleForReplay(workflowBundle) };
  const { failureConverterPath: path, ...converter } = dataConverter ?? {};
  if (path !== undefined && path !== failureConverterPath()) return options;
  return {
    ...options,
    dataConverter: converter,
    ...(plugins && { plugins: plugins.map((it) => (it === plugin ? { ...plugin, configureBundler: asItIs } : it)) }),
  };
}

const asItIs = <T extends object>(options: T): T => options;

/**
 * Failures of workflows are converted in the bundle. One that was made without our converter would
 * store them in plain text, and nobody would notice.
 *
 * @throws CodecOptionsError
 */
function checkBundle({ workflowBundle, dataConverter }: BundledWorker): void {
  if (workflowBundle === undefined || dataConverter?.failureConverterPath !== failureConverterPath()) return;
  const code = codeOf(workflowBundle);
  if (code.includes(FAILURE_PART_NAME) && !isForReplay(code)) return;
  throw new CodecOptionsError(
    'the workflow bundle was made without the failure converter, or for a replay, so that failures of workflows would be stored in plain text: give bundleWorkflowCode the same plugin, or set encryptFailures to false',
  );
}
