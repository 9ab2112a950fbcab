package temporalcodec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static temporalcodec.Payloads.payload;

import com.github.luben.zstd.Zstd;
import io.temporal.api.common.v1.Payload;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Compression inside encryption, as other workers write it, and bombs. */
class CompressionTest {
  @TempDir Path folder;
  private EncryptionCodec codec;

  @BeforeEach
  void open() throws IOException {
    var keys = KeyringFile.at(new Payloads.Keyrings(folder).write("keyring.json", "one", "one"));
    codec = EncryptionCodec.newBuilder(keys).setNamespace("orders").setInflatedBytes(100_000).build();
  }

  private static Payload plain(int length) {
    byte[] data = new byte[length];
    Arrays.fill(data, (byte) 'A');
    return payload("binary/plain", data);
  }

  private static Payload compressed(String encoding, Payload inner) throws IOException {
    byte[] plain = inner.toByteArray();
    var out = new ByteArrayOutputStream();
    switch (encoding) {
      case "binary/zstd" -> out.write(Zstd.compress(plain));
      case "binary/snappy" -> snappy(plain, out);
      default -> {
        try (OutputStream stream =
            encoding.equals("binary/zlib") ? new DeflaterOutputStream(out) : new GZIPOutputStream(out)) {
          stream.write(plain);
        }
      }
    }
    return payload(encoding, out.toByteArray());
  }

  /** A snappy block that repeats the byte before, 64 at a time, after a literal of 60. */
  private static void snappy(byte[] plain, ByteArrayOutputStream out) {
    int length = plain.length;
    for (; length >= 0x80; length >>>= 7) out.write(length & 0x7f | 0x80);
    out.write(length);
    int literal = Math.min(60, plain.length);
    out.write((literal - 1) << 2);
    out.write(plain, 0, literal);
    for (int at = literal; at < plain.length; at += 64) {
      out.write((Math.min(64, plain.length - at) - 1) << 2 | 2);
      out.write(1);
      out.write(0);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"binary/zlib", "binary/gzip", "binary/zstd", "binary/snappy"})
  void compressedPayloadsInsideEncryptionOpen(String encoding) throws IOException {
    var given = List.of(compressed(encoding, plain(5000)), compressed(encoding, plain(100)));
    assertTrue(given.get(0).getData().size() < 500);
    assertEquals(List.of(plain(5000), plain(100)), codec.decode(codec.encode(given)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"binary/zlib", "binary/gzip", "binary/zstd", "binary/snappy"})
  void whatInflatesPastTheLimitIsRefused(String encoding) throws IOException {
    assertEquals(List.of(plain(90_000)), codec.decode(List.of(compressed(encoding, plain(90_000)))));
    var half = compressed(encoding, plain(60_000));
    for (var bomb : List.of(List.of(compressed(encoding, plain(110_000))), List.of(half, half))) {
      var exception = assertThrows(CodecException.class, () -> codec.decode(codec.encode(bomb)));
      assertTrue(exception.getMessage().contains("inflates past"), exception.getMessage());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"binary/zlib", "binary/gzip", "binary/zstd", "binary/snappy"})
  void streamsThatAreCutOrTooLongAreRefused(String encoding) throws IOException {
    byte[] good = compressed(encoding, plain(400)).getData().toByteArray();
    for (int length = 0; length <= good.length + 1; length++) {
      if (length == good.length) continue;
      Payload spoilt = payload(encoding, Arrays.copyOf(good, length));
      assertThrows(CodecException.class, () -> codec.decode(List.of(spoilt)), "of length " + length);
    }
  }
}
