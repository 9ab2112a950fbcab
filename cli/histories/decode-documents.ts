/**
 * Decodes documents as they stream by: one side reads and asks, ahead of the other, which writes in
 * order. What is on its way is bounded, whatever the size of the input.
 */

import type { StretchDecoder } from './decode-stretch.ts';
import { type DocumentReport, stretchesOf } from './document.ts';
import type { Batcher } from './payload-decoder.ts';
import { UnreadableDocumentError } from './rewritable.ts';
import { type Source, SourceError } from './sources.ts';

/** Where the decoded bytes of documents go. */
export interface Sink {
  open(source: Source): Promise<void>;
  write(bytes: Uint8Array): Promise<void>;
  /** The document is whole. */
  close(): Promise<void>;
}

/** Bytes that are read ahead of what is written. */
const MOST_AHEAD = 24 * 1024 * 1024;
/** Payloads weigh more in memory than their bytes. */
const PAYLOAD_WEIGHT = 1_000;

type Item =
  | { readonly kind: 'open'; readonly source: Source }
  | { readonly kind: 'bytes'; readonly bytes: Promise<Buffer>; readonly weight: number }
  | { readonly kind: 'close' };

/** Told how far it is: bytes of the input read so far. */
export type OnProgress = (bytes: number, documents: number) => void;

/**
 * @throws SourceError when a document cannot be read, and whatever the decoder and the sink throw
 */
export async function decodeDocuments(
  sources: AsyncIterable<Source>,
  decoder: StretchDecoder,
  batcher: Batcher,
  sink: Sink,
  signal: AbortSignal,
  onProgress: OnProgress,
): Promise<void> {
  const queue = new Queue(batcher);
  const reading = read(sources, decoder, queue, onProgress).then(
    () => queue.end(),
    (error) => queue.fail(error),
  );
  try {
    for (let item = await queue.next(); item !== undefined; item = await queue.next()) {
      if (signal.aborted) throw new SourceError('Stopped.');
      if (item.kind === 'open') await sink.open(item.source);
      else if (item.kind === 'close') await sink.close();
      else {
        const bytes = await item.bytes;
        if (bytes.length > 0) await sink.write(bytes);
        queue.done(item.weight);
      }
    }
  } catch (error) {
    queue.stop();
    throw error;
  } finally {
    await reading;
  }
}

async function read(
  sources: AsyncIterable<Source>,
  decoder: StretchDecoder,
  queue: Queue,
  onProgress: OnProgress,
): Promise<void> {
  let bytes = 0;
  let documents = 0;
  for await (const source of sources) {
    await queue.add({ kind: 'open', source });
    const report: DocumentReport = { form: 'empty', documents: 0, notUnderstood: [] };
    try {
      for await (const stretches of stretchesOf(source.chunks(), report)) {
        if (queue.stopped) return;
        let read = 0;
        let payloads = 0;
        for (const stretch of stretches) {
          const isText = Buffer.isBuffer(stretch);
          read += isText ? stretch.length : stretch.raw.length;
          payloads += isText ? 0 : stretch.payloads.length;
        }
        bytes += read;
        onProgress(bytes, documents);
        const decoded = decoder.decode(stretches);
        // Whoever writes sees the failure, in its turn.
        decoded.catch(() => {});
        await queue.add({ kind: 'bytes', bytes: decoded, weight: read + payloads * PAYLOAD_WEIGHT });
      }
    } catch (error) {
      if (!(error instanceof UnreadableDocumentError)) throw error;
      throw new SourceError(`${source.name} cannot be understood: ${error.message}.`);
    }
    if (report.form === 'empty') throw new SourceError(`${source.name} is empty.`);
    decoder.count.notUnderstood += report.notUnderstood.length;
    documents++;
    onProgress(bytes, documents);
    await queue.add({ kind: 'close' });
  }
}

/** Items between the two sides, of a bounded weight. */
class Queue {
  readonly #batcher: Batcher;
  readonly #items: Item[] = [];
  #weight = 0;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #wakeReader: (() => void) | undefined;
  #wakeWriter: (() => void) | undefined;
  stopped = false;

  constructor(batcher: Batcher) {
    this.#batcher = batcher;
  }

  async add(item: Item): Promise<void> {
    this.#items.push(item);
    if (item.kind === 'bytes') this.#weight += item.weight;
    this.#wakeWriter?.();
    if (this.#weight < MOST_AHEAD || this.stopped) return;
    // What waits here may wait for a batch that is not full.
    this.#batcher.drain();
    await new Promise<void>((wake) => {
      this.#wakeReader = wake;
    });
    this.#batcher.fill();
  }

  done(weight: number): void {
    this.#weight -= weight;
    if (this.#weight < MOST_AHEAD / 2) this.#wakeReader?.();
  }

  async next(): Promise<Item | undefined> {
    for (;;) {
      const item = this.#items.shift();
      if (item !== undefined) return item;
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#ended) return undefined;
      await new Promise<void>((wake) => {
        this.#wakeWriter = wake;
      });
      this.#wakeWriter = undefined;
    }
  }

  end(): void {
    this.#ended = true;
    this.#batcher.finish();
    this.#wakeWriter?.();
  }

  fail(error: unknown): void {
    this.#failure = { error };
    this.#batcher.finish();
    this.#wakeWriter?.();
  }

  stop(): void {
    this.stopped = true;
    this.#wakeReader?.();
  }
}
