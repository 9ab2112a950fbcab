/** A secret that a test writes. */
import { createSecretSource, type SecretSource, type SecretVersions } from '../../codec/keys/secrets/secret-source.ts';

export class TestSecret<T> {
  text: string;
  /** Readings so far. */
  reads = 0;
  /** Set to fail every reading. */
  failure: Error | undefined;
  readonly source: SecretSource<T>;

  constructor(text: string, parse: (versions: SecretVersions) => T) {
    this.text = text;
    this.source = createSecretSource({
      parse,
      read: async () => {
        this.reads++;
        if (this.failure !== undefined) throw this.failure;
        return { current: this.text, previous: undefined };
      },
    });
  }
}
