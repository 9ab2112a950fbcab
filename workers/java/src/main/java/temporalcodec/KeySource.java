package temporalcodec;

import com.amazonaws.encryptionsdk.CryptoAlgorithm;
import com.amazonaws.encryptionsdk.DataKey;
import com.amazonaws.encryptionsdk.EncryptedDataKey;
import java.util.Collection;
import java.util.Map;

/** Where data keys come from: {@link KmsKeys}, {@link KeyringFile} or {@link KeyringSecret}. */
public sealed interface KeySource permits KmsKeys, KeyringFile, KeyringSecret {
  /** The generation of keys that have to be checked before they are used. */
  int UNCHECKED = -1;

  /** Whether it has nobody to call: then it is asked where it is needed, and not in a thread. */
  boolean isLocal();

  /** Whether every data key that is not in memory costs a call. */
  boolean asksForEachKey();

  /** Changes when the keys change, and is {@link #UNCHECKED} now and then. Called for every payload, so it is cheap. */
  int generation();

  /**
   * Makes sure that the keys still count. May block.
   *
   * @throws CodecException when they do not
   */
  void check();

  /**
   * A new data key for an encryption context. May block.
   *
   * @throws CodecException when the key that writes is refused, or may only be there in a moment
   */
  DataKey<?> generate(Map<String, String> context);

  /**
   * The data key of a message. May block.
   *
   * @throws CodecException when no key opens it, naming the keys wanted and the keys there are
   */
  DataKey<?> unwrap(
      Collection<? extends EncryptedDataKey> wrapped, CryptoAlgorithm algorithm, Map<String, String> context);
}
