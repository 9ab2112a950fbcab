package temporalcodec;

import com.amazonaws.encryptionsdk.CryptoAlgorithm;
import com.amazonaws.encryptionsdk.DataKey;
import com.amazonaws.encryptionsdk.EncryptedDataKey;
import java.util.Collection;
import java.util.Map;

/** Where data keys come from: {@link KmsKeys} or {@link KeyringFile}. Both calls may block. */
public sealed interface KeySource permits KmsKeys, KeyringFile {
  /** Whether it has nobody to call: then it is asked where it is needed, and not in a thread. */
  boolean isLocal();

  /** Changes when another key writes than before. Called for every payload, so it is cheap. */
  int generation();

  /**
   * A new data key for an encryption context.
   *
   * @throws CodecException when the key that writes is refused, or may only be there in a moment
   */
  DataKey<?> generate(Map<String, String> context);

  /**
   * The data key of a message.
   *
   * @throws CodecException when no key opens it, naming the keys wanted and the keys there are
   */
  DataKey<?> unwrap(
      Collection<? extends EncryptedDataKey> wrapped, CryptoAlgorithm algorithm, Map<String, String> context);
}
