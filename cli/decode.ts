/** `codec-server decode`: whole histories, decoded, in the form they came in. */

import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createGzip, type Gzip } from 'node:zlib';
import { escaped } from '../config/printable.ts';
import type { CommandIo } from './command.ts';
import { decodeDocuments, type Sink } from './histories/decode-documents.ts';
import { DecodeCount, StretchDecoder } from './histories/decode-stretch.ts';
import { OutputError, OutputFile } from './histories/output-file.ts';
import { Batcher, DecoderError, type PayloadDecoder } from './histories/payload-decoder.ts';
import { openSources, type Source, SourceError } from './histories/sources.ts';
import { Progress } from './progress.ts';
import { createCommand, type Given, readGiven, UsageError } from './run-command.ts';

/** Milliseconds of a small file, in which nobody has to be told how far it is. */
const QUIET_MS = 500;

/** Decodes histories; stops when the signal is given, and leaves nothing half-written. */
export const decode = createCommand('decode', async (given, io, stop) => {
  const output = { current: undefined as OutputFile | undefined };
  const discard = () => output.current?.discard();
  stop.addEventListener('abort', discard, { once: true });
  let decoder: PayloadDecoder | undefined;
  try {
    const options = optionsOf(given);
    const sink = openSink(options, io, output);
    decoder = await openDecoder(options, io, stop);
    const batcher = new Batcher(decoder);
    const count = new DecodeCount();
    const progress = new Progress(io, QUIET_MS);
    try {
      const stretches = new StretchDecoder(batcher, count);
      const sources = openSources(options.files, io);
      await decodeDocuments(sources, stretches, batcher, sink, stop, (bytes, documents) =>
        progress.at(
          () =>
            `${(bytes / 1_000_000).toFixed(1)} MB, ${documents} documents, ${count.decoded} of ${count.payloads} payloads decoded`,
        ),
      );
    } finally {
      progress.clear();
    }
    io.stderr.write(summaryOf(count));
    return count.left > 0 || count.notUnderstood > 0 || (options.strict && count.unknown.size > 0) ? 3 : 0;
  } catch (error) {
    discard();
    if (stop.aborted) {
      io.stderr.write('codec-server decode: stopped; nothing half-written is left.\n');
      return 1;
    }
    const known = error instanceof SourceError || error instanceof OutputError || error instanceof DecoderError;
    if (!known) throw error;
    io.stderr.write(`codec-server decode: ${error.message}\n`);
    return 1;
  } finally {
    stop.removeEventListener('abort', discard);
    decoder?.close();
  }
});

function optionsOf({ values, operands }: Given<'decode'>) {
  const means = [values.endpoint, values.keyring, values.config].filter((it) => it !== undefined);
  if (means.length !== 1) throw new UsageError('say how to decode: one of --endpoint, --keyring, --config.');
  if (values.endpoint !== undefined && values.namespace === undefined)
    throw new UsageError('--endpoint needs --namespace, the full name of the namespace.');
  return { ...values, files: operands.length === 0 ? ['-'] : operands };
}

type Options = ReturnType<typeof optionsOf>;

async function openDecoder(options: Options, io: CommandIo, signal: AbortSignal): Promise<PayloadDecoder> {
  const { endpoint, keyring, config, namespace } = options;
  // Either loads a good deal that the other does not need.
  if (endpoint === undefined) {
    const { openLocalDecoder } = await import('./histories/local-decoder.ts');
    return await openLocalDecoder({ keyring, config, namespace, cwd: io.cwd });
  }
  const { openRemoteDecoder } = await import('./histories/remote-decoder.ts');
  return openRemoteDecoder({
    endpoint,
    namespace: namespace ?? '',
    authorization: authorizationOf(options, io),
    keepReferences: options['keep-references'],
    signal,
  });
}

/** Never on the command line, which everybody on the machine can read. */
function authorizationOf(options: Options, io: CommandIo): string | undefined {
  const file = options['token-file'];
  const given = file === undefined ? io.env['CODEC_SERVER_TOKEN'] : readGiven(file, io.cwd).toString('utf8');
  if (given === undefined) return io.env['TEMPORAL_CODEC_AUTH'];
  const token = given.trim();
  if (!/^[\x21-\x7e]+(?: [\x21-\x7e]+)?$/.test(token)) throw new UsageError('the token is empty, or no token.');
  return token.includes(' ') ? token : `Bearer ${token}`;
}

/** Where the output goes, checked before anything is read. */
function openSink(options: Options, io: CommandIo, output: { current: OutputFile | undefined }): Sink {
  const { files } = options;
  const isOne = files.length === 1 && !isFolder(files[0] ?? '', io);
  if (options.output === undefined) {
    if (!isOne) throw new UsageError('several files need --output, a folder for them.');
    return new StdoutSink(io);
  }
  const path = resolve(io.cwd, options.output);
  const isInFolder = !isOne || options.output.endsWith('/') || (existsSync(path) && statSync(path).isDirectory());
  if (!isInFolder && existsSync(path))
    throw new OutputError(`${options.output} is there already, and nothing is overwritten.`);
  return new FileSink((source) => (isInFolder ? join(path, source.outputName) : path), output);
}

function isFolder(file: string, io: CommandIo): boolean {
  if (file === '-') return false;
  if (file.startsWith('s3://')) return true;
  const path = resolve(io.cwd, file);
  return existsSync(path) && statSync(path).isDirectory();
}

/** Compresses what was compressed. */
class Compressed {
  readonly #gzip: Gzip | undefined;
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  #ended: Promise<void> | undefined;

  constructor(isCompressed: boolean, write: (bytes: Uint8Array) => Promise<void>) {
    this.#write = write;
    if (!isCompressed) return;
    const gzip = createGzip();
    this.#gzip = gzip;
    this.#ended = (async () => {
      for await (const chunk of gzip) await write(chunk as Buffer);
    })();
  }

  async write(bytes: Uint8Array): Promise<void> {
    const gzip = this.#gzip;
    if (gzip === undefined) return await this.#write(bytes);
    if (!gzip.write(bytes)) await new Promise<void>((done) => gzip.once('drain', done));
  }

  async end(): Promise<void> {
    this.#gzip?.end();
    await this.#ended;
  }
}

class StdoutSink implements Sink {
  readonly #io: CommandIo;
  #body = new Compressed(false, () => Promise.resolve());

  constructor(io: CommandIo) {
    this.#io = io;
  }

  async open({ gzip }: Source): Promise<void> {
    this.#body = new Compressed(gzip, async (bytes) => {
      const { stdout } = this.#io;
      if (stdout.write(bytes) === false) await new Promise<void>((done) => stdout.once?.('drain', done) ?? done());
    });
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#body.write(bytes);
  }

  async close(): Promise<void> {
    await this.#body.end();
  }
}

class FileSink implements Sink {
  readonly #pathOf: (source: Source) => string;
  readonly #output: { current: OutputFile | undefined };
  #body = new Compressed(false, () => Promise.resolve());

  constructor(pathOf: (source: Source) => string, output: { current: OutputFile | undefined }) {
    this.#pathOf = pathOf;
    this.#output = output;
  }

  async open(source: Source): Promise<void> {
    const file = new OutputFile(this.#pathOf(source));
    await file.open();
    this.#output.current = file;
    this.#body = new Compressed(source.gzip, (bytes) => file.write(bytes));
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#body.write(bytes);
  }

  async close(): Promise<void> {
    await this.#body.end();
    await this.#output.current?.finish();
    this.#output.current = undefined;
  }
}

function summaryOf(count: DecodeCount): string {
  const { payloads, decoded, closed, references, unknown, notUnderstood } = count;
  const lines = [`${payloads} ${payloads === 1 ? 'payload' : 'payloads'}, ${decoded} decoded`];
  for (const [reason, many] of [...closed].sort()) lines.push(`${many} stayed encrypted: ${escaped(reason)}`);
  if (references > 0) lines.push(`${references} in external storage, not read`);
  for (const [encoding, many] of [...unknown].sort()) lines.push(`${many} of an encoding not known here: ${encoding}`);
  if (notUnderstood > 0) lines.push(`${notUnderstood} with the mark of a payload in a form not known here`);
  return `codec-server decode: ${lines.join('\n  ')}\n`;
}
