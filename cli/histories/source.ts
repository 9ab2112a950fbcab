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
}
