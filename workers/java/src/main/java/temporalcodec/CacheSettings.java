package temporalcodec;

import static temporalcodec.CodecException.Reason.OPTIONS;

import java.time.Duration;

/**
 * Bounds of the cache of data keys.
 *
 * @param readTime how long a key reads after it was fetched: the time for which a revoked key still decodes
 * @param writeTime how long a key writes, a day at most. It is apart from {@code readTime} because it decides how many
 *     keys, and so calls, a history costs all its readers
 * @param writeMessages payloads that one key writes
 * @param writeBytes bytes that one key writes
 * @param writeGrace how long a key goes on writing after {@code writeTime} while the key service cannot answer; never
 *     after it has refused
 * @param maxKeys keys that are kept for reading: more than the longest history that is replayed has
 * @param timeout how long a payload waits for the key service: a workflow task has 10 s
 */
public record CacheSettings(
    Duration readTime,
    Duration writeTime,
    long writeMessages,
    long writeBytes,
    Duration writeGrace,
    int maxKeys,
    Duration timeout) {

  private static final Duration LONGEST_WRITE_TIME = Duration.ofDays(1);

  /** 5 minutes to read; a day, a million payloads and 64 GiB to write, an hour of grace; 20,000 keys; 8 s. */
  public static final CacheSettings DEFAULT =
      new CacheSettings(
          Duration.ofMinutes(5),
          LONGEST_WRITE_TIME,
          1_000_000,
          64L << 30,
          Duration.ofHours(1),
          20_000,
          Duration.ofSeconds(8));

  /** Refuses bounds that bound nothing. */
  public CacheSettings {
    positive("readTime", readTime.toNanos());
    positive("writeTime", writeTime.toNanos());
    positive("writeMessages", writeMessages);
    positive("writeBytes", writeBytes);
    positive("writeGrace", writeGrace.toNanos());
    positive("maxKeys", maxKeys);
    positive("timeout", timeout.toNanos());
    if (writeTime.compareTo(LONGEST_WRITE_TIME) > 0)
      throw new CodecException(OPTIONS, "cache: writeTime must be at most a day");
  }

  private static void positive(String name, long value) {
    if (value <= 0) throw new CodecException(OPTIONS, "cache: " + name + " must be above 0");
  }

  public CacheSettings withReadTime(Duration value) {
    return new CacheSettings(value, writeTime, writeMessages, writeBytes, writeGrace, maxKeys, timeout);
  }

  public CacheSettings withWriteTime(Duration value) {
    return new CacheSettings(readTime, value, writeMessages, writeBytes, writeGrace, maxKeys, timeout);
  }

  public CacheSettings withWriteMessages(long value) {
    return new CacheSettings(readTime, writeTime, value, writeBytes, writeGrace, maxKeys, timeout);
  }

  public CacheSettings withWriteBytes(long value) {
    return new CacheSettings(readTime, writeTime, writeMessages, value, writeGrace, maxKeys, timeout);
  }

  public CacheSettings withWriteGrace(Duration value) {
    return new CacheSettings(readTime, writeTime, writeMessages, writeBytes, value, maxKeys, timeout);
  }

  public CacheSettings withMaxKeys(int value) {
    return new CacheSettings(readTime, writeTime, writeMessages, writeBytes, writeGrace, value, timeout);
  }

  public CacheSettings withTimeout(Duration value) {
    return new CacheSettings(readTime, writeTime, writeMessages, writeBytes, writeGrace, maxKeys, value);
  }
}
