/** Histories as they are exported: every payload its own, under the data keys of as many workers as there would be. */
import { createWriteStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Payload } from '@temporalio/common';
import { createPayloadCodec, type EncryptingPayloadCodec } from '../../codec/payload-codec.ts';
import { asCliJson, asExport, historyOf } from '../../test/support/histories.ts';

export const NAMESPACE = 'bench.a1b2c';

/** Data keys: those of 20 workers in a week, one a day each. */
export const DATA_KEYS = 140;

/** A file to decode. */
export interface Input {
  readonly name: string;
  readonly file: string;
}

/** What to make. */
export interface Sizes {
  readonly events: number;
  readonly histories: number;
  readonly largeBytes: number;
}

/** Workers that take turns: each has a data key of its own. */
class Workers {
  readonly #codecs: readonly EncryptingPayloadCodec[];
  #next = 0;

  constructor(keyring: string) {
    this.#codecs = Array.from({ length: DATA_KEYS }, () =>
      createPayloadCodec({ namespace: NAMESPACE, keys: { keyring } }),
    );
  }

  async encode(payloads: Payload[]): Promise<Payload[]> {
    const each = payloads.map((payload) => this.#take().encode([payload]));
    return (await Promise.all(each)).flat();
  }

  #take(): EncryptingPayloadCodec {
    return this.#codecs[this.#next++ % this.#codecs.length] as EncryptingPayloadCodec;
  }

  close(): void {
    for (const codec of this.#codecs) codec.close();
  }
}

/** Makes the inputs in a folder: one long history, exports of short and of longer ones, and many megabytes. */
export async function makeInputs(folder: string, keyring: string, { events, histories, largeBytes }: Sizes) {
  const workers = new Workers(keyring);
  const write = (name: string, file: string, bytes: string | Buffer): Input => {
    writeFileSync(join(folder, file), bytes);
    return { name, file: join(folder, file) };
  };
  const exportOf = async (each: number) => {
    const all = [];
    for (let i = 0; i < histories; i++) all.push(await historyOf(workers, each, 100, `order-${i}`));
    return asExport(all);
  };
  const count = (many: number) => many.toLocaleString('en-US');
  const document = asCliJson(await historyOf(workers, events, 200));
  const nothing = write('nothing: to start and to end', 'nothing.json', '{"events":[]}');
  const long = write(`one history of ${count(events)} events`, 'long.json', document);
  const short = write(`an export of ${count(histories)} histories of 11 events`, 'short.pb', await exportOf(11));
  const longer = write(`an export of ${count(histories)} histories of 60 events`, 'longer.pb', await exportOf(60));
  workers.close();
  const large = { name: `${count(largeBytes / 1e6)} MB of histories`, file: join(folder, 'large.json') };
  const stream = createWriteStream(large.file);
  for (let written = 0; written < largeBytes; written += document.length)
    if (!stream.write(document)) await new Promise<void>((done) => stream.once('drain', done));
  await new Promise<void>((done) => stream.end(done));
  return { nothing, long, short, longer, large };
}
