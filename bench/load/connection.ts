/**
 * An HTTP/1.1 client connection that does the least a client can: it writes prepared bytes and
 * splits what comes back. `node:http` would cost the generator more than some servers cost, and the
 * two share a machine.
 */
import { connect, type Socket } from 'node:net';

/** Takes an answer; `body` is only valid during the call. */
export type OnAnswer = (status: number, body: Buffer) => void;

export class Connection {
  readonly #socket: Socket;
  #onAnswer: OnAnswer = () => undefined;
  readonly #onFailure: (error: Error) => void;
  #reader: AnswerReader | undefined;

  constructor(port: number, onFailure: (error: Error) => void) {
    this.#onFailure = onFailure;
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('error', onFailure);
    this.#socket.on('close', () => onFailure(new Error('the server closed the connection')));
  }

  send(request: Buffer, onAnswer: OnAnswer): void {
    this.#onAnswer = onAnswer;
    this.#socket.write(request);
  }

  close(): void {
    this.#socket.removeAllListeners('close');
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    try {
      this.#reader ??= new AnswerReader();
      const body = this.#reader.take(chunk);
      if (body === undefined) return;
      const { status } = this.#reader;
      this.#reader = undefined;
      this.#onAnswer(status, body);
    } catch (error) {
      this.close();
      this.#onFailure(error as Error);
    }
  }
}

/** Reads one answer: a head, then a body by `Content-Length` or in chunks. */
class AnswerReader {
  status = 0;
  #head: Buffer | undefined;
  /** Bytes of body that are missing; undefined for a chunked one. */
  #missing: number | undefined;
  readonly #parts: Buffer[] = [];
  /** Undecoded rest of a chunked body. */
  #rest: Buffer = Buffer.alloc(0);

  /** @returns the body once it is whole */
  take(received: Buffer): Buffer | undefined {
    if (this.status !== 0) return this.#body(received);
    const bytes = this.#head === undefined ? received : Buffer.concat([this.#head, received]);
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) {
      this.#head = bytes;
      return undefined;
    }
    const head = bytes.toString('latin1', 0, end);
    this.status = Number(head.slice(9, 12));
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length === undefined && !/\r\ntransfer-encoding: *chunked/i.test(head)) {
      if (this.status !== 204) throw new Error('an answer without a length');
      this.#missing = 0;
    } else if (length !== undefined) this.#missing = Number(length);
    return this.#body(bytes.subarray(end + 4));
  }

  #body(bytes: Buffer): Buffer | undefined {
    if (this.#missing === undefined) return this.#chunked(bytes);
    this.#missing -= bytes.length;
    if (this.#missing < 0) throw new Error('more bytes than the answer announced');
    this.#parts.push(bytes);
    return this.#missing === 0 ? this.#whole() : undefined;
  }

  #chunked(bytes: Buffer): Buffer | undefined {
    let rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    for (;;) {
      const line = rest.indexOf('\r\n');
      if (line < 0) break;
      const size = Number.parseInt(rest.toString('latin1', 0, line), 16);
      if (rest.length < line + 2 + size + 2) break;
      if (size === 0) return this.#whole();
      this.#parts.push(rest.subarray(line + 2, line + 2 + size));
      rest = rest.subarray(line + 2 + size + 2);
    }
    this.#rest = rest;
    return undefined;
  }

  #whole(): Buffer {
    const [first, second] = this.#parts;
    return first !== undefined && second === undefined ? first : Buffer.concat(this.#parts);
  }
}
