package temporalcodec;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.temporal.api.common.v1.Payload;
import io.temporal.payload.codec.PayloadCodec;
import java.lang.management.ManagementFactory;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * Prints the figures of bench/results/workers.json for Java: microseconds of CPU a payload, and calls to KMS for 1,000.
 * Beside the library stands the codec of Temporal's samples: AES-GCM with one key, and a nonce in front.
 */
final class Figures {
  private static final int ROUNDS = 5;
  private static final int TIMES = 5_000;
  private static final Payload PAYLOAD = Payloads.payload("x".repeat(298));

  private Figures() {}

  private static final class SampleCodec implements PayloadCodec {
    private static final ByteString ENCODING = ByteString.copyFromUtf8("binary/encrypted");
    private final SecretKeySpec key = new SecretKeySpec(new byte[32], "AES");
    private final SecureRandom random = new SecureRandom();

    @Override
    public List<Payload> encode(List<Payload> payloads) {
      return payloads.stream().map(this::sealed).toList();
    }

    @Override
    public List<Payload> decode(List<Payload> payloads) {
      return payloads.stream().map(this::opened).toList();
    }

    private Payload sealed(Payload payload) {
      byte[] nonce = new byte[12];
      random.nextBytes(nonce);
      byte[] sealed = crypt(Cipher.ENCRYPT_MODE, nonce, payload.toByteArray());
      byte[] data = Arrays.copyOf(nonce, 12 + sealed.length);
      System.arraycopy(sealed, 0, data, 12, sealed.length);
      return Payload.newBuilder().putMetadata("encoding", ENCODING).setData(ByteString.copyFrom(data)).build();
    }

    private Payload opened(Payload payload) {
      byte[] data = payload.getData().toByteArray();
      try {
        return Payload.parseFrom(
            crypt(Cipher.DECRYPT_MODE, Arrays.copyOf(data, 12), Arrays.copyOfRange(data, 12, data.length)));
      } catch (InvalidProtocolBufferException e) {
        throw new IllegalStateException(e);
      }
    }

    private byte[] crypt(int mode, byte[] nonce, byte[] data) {
      try {
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(mode, key, new GCMParameterSpec(128, nonce));
        return cipher.doFinal(data);
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  public static void main(String[] args) throws Exception {
    Map<String, Object> figures = new LinkedHashMap<>();
    try (var kms = new KmsStandIn()) {
      var library = EncryptionCodec.of("orders", kms.keys(kms.createKey()));
      figures.put(
          "microseconds",
          Map.of("library", microseconds(library), "sample", microseconds(new SampleCodec())));
      figures.put(
          "calls",
          Map.of(
              "oneDataKey", calls(kms, CacheSettings.DEFAULT),
              "manyDataKeys", calls(kms, CacheSettings.DEFAULT.withWriteMessages(1))));
    }
    System.out.println(new ObjectMapper().writeValueAsString(figures));
    System.exit(0);
  }

  private static Map<String, Double> microseconds(PayloadCodec codec) {
    List<Payload> plain = List.of(PAYLOAD);
    List<Payload> encoded = codec.encode(plain);
    Runnable encode = () -> codec.encode(plain);
    Runnable decode = () -> codec.decode(encoded);
    // What the machine compiles while it warms up counts for nobody.
    median(encode);
    median(decode);
    return Map.of("encode", median(encode), "decode", median(decode));
  }

  /** Of this thread's CPU, the median of the rounds: other processes of the machine do not count. */
  private static double median(Runnable work) {
    var threads = ManagementFactory.getThreadMXBean();
    double[] rounds = new double[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
      long begin = threads.getCurrentThreadCpuTime();
      for (int i = 0; i < TIMES; i++) work.run();
      rounds[round] = (threads.getCurrentThreadCpuTime() - begin) / 1e3 / TIMES;
    }
    Arrays.sort(rounds);
    return rounds[ROUNDS / 2];
  }

  private static Map<String, Integer> calls(KmsStandIn kms, CacheSettings writing) {
    String arn = kms.createKey();
    kms.calls.clear();
    var writer = EncryptionCodec.newBuilder(kms.keys(arn)).setNamespace("orders").setCache(writing).build();
    List<Payload> encoded = writer.encode(Collections.nCopies(1000, PAYLOAD));
    int write = kms.calls.size();
    var reader = EncryptionCodec.of("orders", kms.keys(null, arn));
    reader.decode(encoded);
    int read = kms.calls.size() - write;
    reader.decode(encoded);
    return Map.of("write", write, "read", read, "again", kms.calls.size() - write - read);
  }
}
