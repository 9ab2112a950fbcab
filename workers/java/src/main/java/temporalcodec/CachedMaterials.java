package temporalcodec;

import com.amazonaws.encryptionsdk.CryptoAlgorithm;
import com.amazonaws.encryptionsdk.CryptoMaterialsManager;
import com.amazonaws.encryptionsdk.DataKey;
import com.amazonaws.encryptionsdk.DefaultCryptoMaterialsManager;
import com.amazonaws.encryptionsdk.EncryptedDataKey;
import com.amazonaws.encryptionsdk.MasterKeyProvider;
import com.amazonaws.encryptionsdk.MasterKeyRequest;
import com.amazonaws.encryptionsdk.jce.JceMasterKey;
import com.amazonaws.encryptionsdk.model.DecryptionMaterials;
import com.amazonaws.encryptionsdk.model.DecryptionMaterialsRequest;
import com.amazonaws.encryptionsdk.model.EncryptionMaterials;
import com.amazonaws.encryptionsdk.model.EncryptionMaterialsRequest;
import com.amazonaws.encryptionsdk.model.KeyBlob;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Gives the official library the data keys of the cache. */
final class CachedMaterials implements CryptoMaterialsManager {
  private final DataKeys keys;
  private final CryptoMaterialsManager reading;

  /**
   * @param allow is given the encryption context of a message before a key is touched, and throws when it may not be
   *     opened
   */
  CachedMaterials(DataKeys keys, Consumer<Map<String, String>> allow) {
    this(keys, allow, () -> {});
  }

  /**
   * @param missed is told of a key that is not in memory, before a call for it is waited for
   */
  CachedMaterials(DataKeys keys, Consumer<Map<String, String>> allow, Runnable missed) {
    this.keys = keys;
    this.reading = new DefaultCryptoMaterialsManager(new Cached(keys, allow, missed));
  }

  @Override
  public EncryptionMaterials getMaterialsForEncrypt(EncryptionMaterialsRequest request) {
    DataKey<?> key = keys.forWriting(request.getContext(), (int) Math.max(request.getPlaintextSize(), 0));
    return EncryptionMaterials.newBuilder()
        .setAlgorithm(DataKeys.WRITE_SUITE)
        .setCleartextDataKey(key.getKey())
        .setEncryptedDataKeys(List.of(new KeyBlob(key)))
        .setEncryptionContext(request.getContext())
        .setMasterKeys(List.of())
        .build();
  }

  @Override
  public DecryptionMaterials decryptMaterials(DecryptionMaterialsRequest request) {
    return reading.decryptMaterials(request);
  }

  private static final class Cached extends MasterKeyProvider<JceMasterKey> {
    private final DataKeys keys;
    private final Consumer<Map<String, String>> allow;
    private final Runnable missed;

    Cached(DataKeys keys, Consumer<Map<String, String>> allow, Runnable missed) {
      this.keys = keys;
      this.allow = allow;
      this.missed = missed;
    }

    @Override
    public String getDefaultProviderId() {
      return "temporal-codec";
    }

    @Override
    public JceMasterKey getMasterKey(String provider, String keyId) {
      throw new UnsupportedOperationException("it has data keys");
    }

    @Override
    public List<JceMasterKey> getMasterKeysForEncryption(MasterKeyRequest request) {
      throw new UnsupportedOperationException("it reads");
    }

    @Override
    @SuppressWarnings("unchecked") // whose key it was is nobody's business from here on
    public DataKey<JceMasterKey> decryptDataKey(
        CryptoAlgorithm algorithm, Collection<? extends EncryptedDataKey> wrapped, Map<String, String> context) {
      allow.accept(context);
      return (DataKey<JceMasterKey>) keys.forReading(wrapped, algorithm, context, missed);
    }
  }
}
