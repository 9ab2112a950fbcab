package temporalcodec;

import io.temporal.payload.codec.PayloadCodecException;

/**
 * Every way in which the codec fails. The message names keys, namespaces and the error codes of AWS, and never holds
 * payload bytes, key bytes or text of a remote service: it stays readable in the history.
 *
 * <p>The SDK fails the workflow <em>task</em> with it and tries again. It is never a {@code DataConverterException},
 * on which the SDK drops a signal.
 */
public final class CodecException extends PayloadCodecException {
  /** Why. */
  public enum Reason {
    /** The options are wrong: a mistake of the program that makes the codec, told at once. */
    OPTIONS,
    /** The keyring file is missing, can be read by others, or is not a keyring. */
    KEYRING_FILE,
    /** The secret with the keyring was reached and cannot be used: it is gone, refused, or not a keyring. */
    KEYRING_SECRET,
    /** There is no key to write with, or the key service refuses it. */
    CANNOT_ENCODE,
    /** A payload stays closed: its key is missing or refused, or its bytes are not authentic. */
    CANNOT_OPEN,
    /** A payload of another namespace, which this codec was not told to decode. */
    WRONG_NAMESPACE,
    /** A payload that is not encrypted, where plaintext is refused. */
    PLAINTEXT_REFUSED,
    /** The key service cannot answer now, and may in a moment. */
    KEY_UNAVAILABLE
  }

  private final Reason reason;
  private final boolean revokes;

  CodecException(Reason reason, String message) {
    this(reason, message, false);
  }

  /**
   * @param revokes whether the key service says that the key itself was taken away
   */
  CodecException(Reason reason, String message, boolean revokes) {
    super(message);
    this.reason = reason;
    this.revokes = revokes;
  }

  boolean revokes() {
    return revokes;
  }

  /** Why the codec failed. */
  public Reason reason() {
    return reason;
  }
}
