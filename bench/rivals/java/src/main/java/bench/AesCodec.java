package bench;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.temporal.api.common.v1.Payload;
import io.temporal.payload.codec.PayloadCodec;
import io.temporal.payload.codec.PayloadCodecException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/** AES-256-GCM in the encryption samples' format, under their public key. */
final class AesCodec implements PayloadCodec {
  private static final int NONCE_BYTES = 12;
  private static final int TAG_BITS = 128;
  private static final ByteString ENCODING = ByteString.copyFromUtf8("binary/encrypted");
  private static final ByteString KEY_ID = ByteString.copyFromUtf8("test-key-id");
  private static final SecretKeySpec KEY =
      new SecretKeySpec("test-key-test-key-test-key-test!".getBytes(StandardCharsets.US_ASCII), "AES");

  private final SecureRandom random = new SecureRandom();

  @Override
  public List<Payload> encode(List<Payload> payloads) {
    List<Payload> sealed = new ArrayList<>(payloads.size());
    for (Payload payload : payloads) sealed.add(seal(payload));
    return sealed;
  }

  @Override
  public List<Payload> decode(List<Payload> payloads) {
    List<Payload> opened = new ArrayList<>(payloads.size());
    for (Payload payload : payloads) opened.add(open(payload));
    return opened;
  }

  private Payload seal(Payload payload) {
    byte[] nonce = new byte[NONCE_BYTES];
    random.nextBytes(nonce);
    byte[] ciphertext = run(Cipher.ENCRYPT_MODE, nonce, payload.toByteArray(), 0);
    return Payload.newBuilder()
        .putMetadata("encoding", ENCODING)
        .putMetadata("encryption-key-id", KEY_ID)
        .setData(ByteString.copyFrom(nonce).concat(ByteString.copyFrom(ciphertext)))
        .build();
  }

  private Payload open(Payload payload) {
    if (!ENCODING.equals(payload.getMetadataMap().get("encoding"))) return payload;
    byte[] data = payload.getData().toByteArray();
    byte[] nonce = java.util.Arrays.copyOf(data, NONCE_BYTES);
    try {
      return Payload.parseFrom(run(Cipher.DECRYPT_MODE, nonce, data, NONCE_BYTES));
    } catch (InvalidProtocolBufferException error) {
      throw new PayloadCodecException(error);
    }
  }

  private static byte[] run(int mode, byte[] nonce, byte[] input, int from) {
    try {
      Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
      cipher.init(mode, KEY, new GCMParameterSpec(TAG_BITS, nonce));
      return cipher.doFinal(input, from, input.length - from);
    } catch (GeneralSecurityException error) {
      throw new PayloadCodecException(error);
    }
  }
}
