package codec;

import com.amazonaws.encryptionsdk.AwsCrypto;
import com.amazonaws.encryptionsdk.CommitmentPolicy;
import com.amazonaws.encryptionsdk.CryptoAlgorithm;
import com.amazonaws.encryptionsdk.CryptoMaterialsManager;
import com.amazonaws.encryptionsdk.MasterKeyProvider;
import com.amazonaws.encryptionsdk.caching.CachingCryptoMaterialsManager;
import com.amazonaws.encryptionsdk.caching.LocalCryptoMaterialsCache;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.temporal.api.common.v1.Payload;
import io.temporal.payload.codec.PayloadCodec;
import io.temporal.payload.codec.PayloadCodecException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Encrypts every payload with the official AWS Encryption SDK, and binds it to the namespace of this worker. */
public final class EncryptionCodec implements PayloadCodec {
  private static final ByteString ENCODING = ByteString.copyFromUtf8("binary/aws-encryption-sdk");
  private static final String NAMESPACE = "temporal-namespace";

  private final String namespace;
  private final AwsCrypto sdk;
  private final CryptoMaterialsManager materials;

  public EncryptionCodec(String namespace, MasterKeyProvider<?> keys) {
    // AES-256-GCM with key commitment and without a signature: 0x0478.
    this(namespace, keys, CryptoAlgorithm.ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY);
  }

  public EncryptionCodec(String namespace, MasterKeyProvider<?> keys, CryptoAlgorithm suite) {
    this.namespace = namespace;
    this.sdk =
        AwsCrypto.builder()
            .withCommitmentPolicy(CommitmentPolicy.RequireEncryptRequireDecrypt)
            .withEncryptionAlgorithm(suite)
            .withMaxEncryptedDataKeys(5)
            .build();
    // One data key for many payloads: without this, every payload is a call to KMS.
    this.materials =
        CachingCryptoMaterialsManager.newBuilder()
            .withMasterKeyProvider(keys)
            .withCache(new LocalCryptoMaterialsCache(1000))
            .withMaxAge(5, TimeUnit.MINUTES)
            .withMessageUseLimit(10_000)
            .build();
  }

  @Override
  public List<Payload> encode(List<Payload> payloads) {
    return payloads.stream().map(this::encrypt).toList();
  }

  @Override
  public List<Payload> decode(List<Payload> payloads) {
    return payloads.stream().map(this::decrypt).toList();
  }

  private Payload encrypt(Payload payload) {
    byte[] message =
        sdk.encryptData(materials, payload.toByteArray(), Map.of(NAMESPACE, namespace)).getResult();
    return Payload.newBuilder()
        .putMetadata("encoding", ENCODING)
        .setData(ByteString.copyFrom(message))
        .build();
  }

  private Payload decrypt(Payload payload) {
    if (!ENCODING.equals(payload.getMetadataOrDefault("encoding", ByteString.EMPTY))) return payload;
    var result = sdk.decryptData(materials, payload.getData().toByteArray());
    // Authentic, but of whom? Without this line, a payload could be carried from one namespace to another.
    if (!namespace.equals(result.getEncryptionContext().get(NAMESPACE)))
      throw new PayloadCodecException("this payload belongs to another namespace");
    try {
      return Payload.parseFrom(result.getResult());
    } catch (InvalidProtocolBufferException e) {
      throw new PayloadCodecException(e);
    }
  }
}
