/**
 * A request that is answered with an error on purpose. Whatever else is thrown on a request's way is
 * a bug, and is answered with a blank 500.
 */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  /** Header fields that belong to the status, such as `allow` or `retry-after`; lower-case names. */
  readonly headers: Readonly<Record<string, string>> | undefined;

  /**
   * @param message one sentence for the caller without a full stop, and without anything the caller
   *   sent: it may be shown to others, and what a payload holds is nobody's business
   */
  constructor(status: number, message: string, headers?: Readonly<Record<string, string>>, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.headers = headers;
  }
}
