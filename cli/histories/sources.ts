/** Where histories are read from: files, folders of them, compressed or not, and standard input. */
import { createReadStream } from 'node:fs';
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { awsTimeouts, readAwsFault } from '../../codec/keys/aws-fault.ts';
import { escaped } from '../../config/printable.ts';
import type { CommandIo } from '../command.ts';

/** What a document to read is, wherever it comes from. */

/** One document to read. */
export interface Source {
  /** As the person named it, for messages. */
  readonly name: string;
  /** Its path below what was named: what its output is called. */
  readonly outputName: string;
  /** Whether it is compressed with gzip. */
  readonly gzip: boolean;
  /** Bytes as stored, where that is known: for the progress. */
  readonly size: number | undefined;
  /** Its bytes, inflated; may be read once. */
  chunks(): AsyncIterable<Buffer>;
}

/** Something that was named cannot be read. The message is one sentence. */
export class SourceError extends Error {
  override readonly name = 'SourceError';

  constructor(message: string) {
    // Names of files and objects are others' to choose.
    super(escaped(message));
  }
}

/** Bytes that are read at a time: few, so that the first payloads are soon on their way to a server. */
const CHUNK = 128 * 1024;
const STDIN = '-';
/** Milliseconds of silence after which S3 is given up: without an answer, or while somebody waits for more of one. */
const S3_SILENCE = 20_000;

/**
 * Every document of what was named, in order; folders by name, and into their folders.
 *
 * @throws SourceError when something is not there, or a folder is empty
 */
export async function* openSources(
  files: readonly string[],
  io: CommandIo,
  s3Silence = S3_SILENCE,
): AsyncGenerator<Source> {
  for (const file of files) {
    if (file === STDIN) {
      yield {
        name: 'standard input',
        outputName: 'stdin',
        gzip: false,
        size: undefined,
        chunks: () => inflated(coalesced(io.stdin), 'standard input'),
      };
      continue;
    }
    if (file.startsWith('s3://')) {
      yield* openS3(file, s3Silence);
      continue;
    }
    const path = resolve(io.cwd, file);
    if (!(await orSourceError(file, () => stat(path))).isDirectory()) {
      yield await fileSource(file, path, basename(path));
      continue;
    }
    let found = 0;
    for await (const inside of filesIn(path, file)) {
      found++;
      yield await fileSource(join(file, relative(path, inside)), inside, relative(path, inside));
    }
    if (found === 0) throw new SourceError(`${file} is a folder without files.`);
  }
}

/** Whoever proves something of a folder must not be told of fewer files: what cannot be read is an error. */
async function* filesIn(folder: string, name: string, above: readonly string[] = []): AsyncGenerator<string> {
  const entries = await orSourceError(name, () => readdir(folder));
  const here = [...above, await realpath(folder)];
  for (const entry of entries.sort()) {
    const path = join(folder, entry);
    const shown = join(name, entry);
    const { isFile, isFolder } = await orSourceError(shown, () => kindOf(path));
    if (isFile) yield path;
    else if (!isFolder) throw new SourceError(`${shown} is neither a file nor a folder.`);
    else if (here.includes(await realpath(path)))
      throw new SourceError(`${shown} leads back to a folder that it is in.`);
    else yield* filesIn(path, shown, here);
  }
}

async function kindOf(path: string): Promise<{ isFile: boolean; isFolder: boolean; size: number }> {
  const found = await stat(path);
  return { isFile: found.isFile(), isFolder: found.isDirectory(), size: found.size };
}

async function fileSource(name: string, path: string, outputName: string): Promise<Source> {
  const { gzip, size } = await orSourceError(name, async () => {
    const { size, isFile } = await kindOf(path);
    // What is read of a pipe does not come again: it counts as standard input does.
    return isFile ? { gzip: await beginsAsGzip(path), size } : { gzip: false, size: undefined };
  });
  const chunks = () => createReadStream(path, { highWaterMark: CHUNK }) as AsyncIterable<Buffer>;
  return { name, outputName, gzip, size, chunks: () => inflated(chunks(), name) };
}

async function beginsAsGzip(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const magic = Buffer.alloc(2);
    await file.read(magic, 0, 2, 0);
    return isGzip(magic);
  } finally {
    await file.close();
  }
}

function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

/** The bytes, inflated when they begin as gzip does. */
async function* inflated(chunks: AsyncIterable<Buffer>, name: string): AsyncGenerator<Buffer> {
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    const first = await iterator.next();
    if (first.done) return;
    const all = (async function* (): AsyncGenerator<Buffer> {
      yield first.value;
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
    })();
    if (!isGzip(first.value)) {
      yield* all;
      return;
    }
    const gunzip = createGunzip({ chunkSize: CHUNK });
    const feeding = feed(all, gunzip);
    try {
      yield* gunzip as AsyncIterable<Buffer>;
      await feeding;
    } finally {
      gunzip.destroy();
      await feeding.catch(() => {});
    }
  } catch (error) {
    throw readingFailed(name, error);
  } finally {
    await iterator.return?.();
  }
}

async function feed(chunks: AsyncIterable<Buffer>, into: ReturnType<typeof createGunzip>): Promise<void> {
  try {
    for await (const chunk of chunks) {
      if (into.destroyed) return;
      if (!into.write(chunk)) await new Promise<void>((done) => into.once('drain', done).once('close', done));
    }
    into.end();
  } catch (error) {
    into.destroy(error as Error);
  }
}

/** Pipes give a few kilobytes at a time. */
async function* coalesced(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk as Uint8Array);
    waiting.push(bytes);
    length += bytes.length;
    if (length < CHUNK) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    length = 0;
  }
  if (length > 0) yield Buffer.concat(waiting);
}

async function orSourceError<T>(name: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw readingFailed(name, error);
  }
}

function readingFailed(name: string, error: unknown): Error {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) return error as Error;
  return new SourceError(
    code.startsWith('Z_') ? `${name} is damaged: it does not inflate.` : `${name} cannot be read (${code}).`,
  );
}

// Histories in S3, as Temporal Cloud exports them: `s3://bucket/prefix`, with the credentials and Region of the environment.

/** Every object whose key begins with what the address names. */
async function* openS3(address: string, silence: number): AsyncGenerator<Source> {
  const { bucket, prefix } = parts(address);
  const { GetObjectCommand, ListObjectsV2Command, S3Client } = await import('@aws-sdk/client-s3');
  // Whoever decodes may take their time: a body that nobody reads meanwhile is not silent.
  const client = new S3Client({ requestHandler: { ...awsTimeouts(silence), socketTimeout: 0 } });
  try {
    let found = 0;
    let token: string | undefined;
    do {
      const page = await orS3Error(address, () =>
        client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token }), {
          abortSignal: AbortSignal.timeout(3 * silence),
        }),
      );
      for (const { Key: key = '', Size: size } of page.Contents ?? []) {
        if (key.endsWith('/')) continue;
        found++;
        const name = `s3://${bucket}/${key}`;
        yield {
          name,
          outputName: outputNameOf(name, key, prefix),
          gzip: false,
          size,
          chunks: () =>
            inflated(
              objectChunks(name, silence, () => client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))),
              name,
            ),
        };
      }
      if (page.NextContinuationToken !== undefined && page.NextContinuationToken === token)
        throw new SourceError(`${address}: the pages of its objects lead back to one that was read.`);
      token = page.NextContinuationToken;
    } while (token !== undefined);
    if (found === 0) throw new SourceError(`${address}: there is no object of that prefix.`);
  } finally {
    client.destroy();
  }
}

/**
 * Under the prefix's own folder, so that two prefixes do not meet in one file. Whoever may write the bucket chooses
 * the keys, and not where on this machine anything is written.
 *
 * @throws SourceError when the key leads out of the folder
 */
function outputNameOf(name: string, key: string, prefix: string): string {
  const below = key.slice(prefix.lastIndexOf('/') + 1);
  if (below.split('/').every((part) => !['', '.', '..'].includes(part) && !/[\\\0]/.test(part))) return below;
  throw new SourceError(`${name} cannot be the name of a file.`);
}

async function* objectChunks(
  name: string,
  silence: number,
  get: () => Promise<{ readonly Body?: unknown; readonly ContentLength?: number | undefined }>,
): AsyncGenerator<Buffer> {
  const { Body, ContentLength } = await orS3Error(name, get);
  const body = Body as Readable;
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const next = async () => {
    const timer = setTimeout(() => body.destroy(new DOMException('silent', 'TimeoutError')), silence);
    try {
      return await chunks.next();
    } catch (error) {
      throw new SourceError(`${name} cannot be read to its end (${readAwsFault(error).awsName}).`);
    } finally {
      clearTimeout(timer);
    }
  };
  let length = 0;
  try {
    for (let chunk = await next(); !chunk.done; chunk = await next()) {
      length += chunk.value.length;
      yield chunk.value;
    }
  } finally {
    body.destroy();
  }
  if (length !== ContentLength) throw new SourceError(`${name} is shorter than S3 says.`);
}

function parts(address: string): { bucket: string; prefix: string } {
  const match = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(address);
  if (match === null) throw new SourceError(`${address} is not an S3 address: write s3://bucket/prefix.`);
  return { bucket: match[1] ?? '', prefix: match[2] ?? '' };
}

async function orS3Error<T>(address: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw new SourceError(`${address} cannot be read (${error instanceof Error ? error.name : 'error'}).`);
  }
}
