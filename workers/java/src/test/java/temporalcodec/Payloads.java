package temporalcodec;

import com.google.protobuf.ByteString;
import io.temporal.api.common.v1.Payload;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Payloads and keyrings for the tests. */
final class Payloads {
  /** After which a test gives up what it waits for: enough for a machine that is many times slower. */
  static final Duration PATIENCE = Duration.ofMinutes(2);

  private Payloads() {}

  /** Waits until something is so. */
  static void until(BooleanSupplier so) {
    long start = System.nanoTime();
    while (!so.getAsBoolean()) {
      if (System.nanoTime() - start > PATIENCE.toNanos()) throw new AssertionError("it did not happen");
      LockSupport.parkNanos(1_000_000);
    }
  }

  static Payload payload(String text) {
    return payload("json/plain", ('"' + text + '"').getBytes());
  }

  static Payload payload(String encoding, byte[] data) {
    return Payload.newBuilder()
        .putMetadata("encoding", ByteString.copyFromUtf8(encoding))
        .setData(ByteString.copyFrom(data))
        .build();
  }

  static List<Payload> payloads(int count) {
    return IntStream.range(0, count).mapToObj(it -> payload(String.valueOf(it))).toList();
  }

  /** Keyring files whose keys have the names that are given; the same name is the same key. */
  static final class Keyrings {
    private final Path folder;
    private final Map<String, String> keys = new HashMap<>();

    Keyrings(Path folder) {
      this.folder = folder;
    }

    Path write(String file, String current, String... names) throws IOException {
      String list =
          Arrays.stream(names)
              .map(it -> "{\"name\":\"" + it + "\",\"key\":\"" + keys.computeIfAbsent(it, Keyrings::key) + "\"}")
              .collect(Collectors.joining(","));
      return text(
          file, "{\"namespace\":\"codec-server\",\"current\":\"" + current + "\",\"keys\":[" + list + "]}");
    }

    Path text(String file, String text) throws IOException {
      Path path = Files.writeString(folder.resolve(file), text);
      return Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
    }

    private static String key(String name) {
      byte[] key = new byte[32];
      new java.security.SecureRandom().nextBytes(key);
      return Base64.getEncoder().encodeToString(key);
    }
  }

  /** A clock that a test moves. */
  static final class Clock implements LongSupplier {
    private long now = 1;

    @Override
    public long getAsLong() {
      return now;
    }

    void passSeconds(long seconds) {
      now += seconds * 1_000_000_000L;
    }
  }
}
