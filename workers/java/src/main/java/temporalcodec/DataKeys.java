package temporalcodec;

import static temporalcodec.CodecException.Reason.KEY_UNAVAILABLE;

import com.amazonaws.encryptionsdk.CryptoAlgorithm;
import com.amazonaws.encryptionsdk.DataKey;
import com.amazonaws.encryptionsdk.EncryptedDataKey;
import io.temporal.workflow.unsafe.WorkflowUnsafe;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * The cache of data keys: bounded in number and age, each fetched once however many payloads wait for it. No lock is
 * held through a call, so nothing that is cached waits for one; calls run in daemon threads of the cache's own, and who
 * waits for one in a workflow is off the SDK's deadlock detector.
 */
final class DataKeys {
  /** AES-256-GCM with key commitment and without a signature: 0x0478. What is written. */
  static final CryptoAlgorithm WRITE_SUITE = CryptoAlgorithm.ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY;

  /** Calls under way at once. Each is bounded in time. */
  private static final int THREADS = 32;

  /** Between two tries while a key writes on past its life because the key service cannot answer. */
  private static final long NANOS_BETWEEN_TRIES = TimeUnit.SECONDS.toNanos(10);

  /**
   * How long a refusal, and a fault that may pass, is answered from memory: a history full of payloads under one key
   * then makes one call, and a passing fault is soon tried again.
   */
  private static final long REFUSAL_NANOS = TimeUnit.SECONDS.toNanos(2);

  private static final long FAULT_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

  private record Read(DataKey<?> key, long expires) {}

  private record Failure(CodecException error, long until) {}

  /** The key that writes now, and what it may still write. */
  private static final class Written {
    final DataKey<?> key;
    final int generation;
    final long since;
    long messages;
    long bytes;
    long nextTry;

    Written(DataKey<?> key, int generation, long now, CacheSettings settings) {
      this.key = key;
      this.generation = generation;
      this.since = now;
      this.messages = settings.writeMessages();
      this.bytes = settings.writeBytes();
      this.nextTry = now;
    }
  }

  private final KeySource source;
  private final CacheSettings settings;
  private final LongSupplier nanos;
  private final ExecutorService threads = threads();
  // All under the monitor of this object.
  private final LinkedHashMap<ByteBuffer, Read> read = new LinkedHashMap<>(64, 0.75f, true);
  private int readGeneration = KeySource.UNCHECKED;
  private final Map<ByteBuffer, Written> written = new HashMap<>();
  private final Map<ByteBuffer, CompletableFuture<DataKey<?>>> flights = new HashMap<>();
  private final Map<ByteBuffer, Failure> failures = new HashMap<>();

  DataKeys(KeySource source, CacheSettings settings, LongSupplier nanos) {
    this.source = source;
    this.settings = settings;
    this.nanos = nanos;
  }

  /** The key that writes one more payload of so many bytes, and counts it. */
  DataKey<?> forWriting(Map<String, String> context, int length) {
    ByteBuffer name = digest("write", context, null, java.util.List.of());
    while (true) {
      int generation = source.generation();
      synchronized (this) {
        Written found = written.get(name);
        if (found != null && mayWrite(found, generation, length)) {
          found.messages--;
          found.bytes -= length;
          return found.key;
        }
      }
      fetch(name, () -> generate(name, context, length));
    }
  }

  /**
   * The key that opens a message.
   *
   * @param missed is told before a call is waited for
   */
  DataKey<?> forReading(
      Collection<? extends EncryptedDataKey> wrapped,
      CryptoAlgorithm algorithm,
      Map<String, String> context,
      Runnable missed) {
    ByteBuffer name = digest("read", context, algorithm, wrapped);
    DataKey<?> found = found(name);
    if (found != null) return found;
    if (source.asksForEachKey()) missed.run();
    return fetch(name, () -> unwrap(name, wrapped, algorithm, context));
  }

  /** Begins to fetch the key that opens a message, without a wait; null when it is in memory, or costs no call. */
  CompletableFuture<DataKey<?>> ahead(
      Collection<? extends EncryptedDataKey> wrapped, CryptoAlgorithm algorithm, Map<String, String> context) {
    if (!source.asksForEachKey()) return null;
    ByteBuffer name = digest("read", context, algorithm, wrapped);
    return found(name) != null ? null : flight(name, () -> unwrap(name, wrapped, algorithm, context));
  }

  private DataKey<?> found(ByteBuffer name) {
    int generation = source.generation();
    return generation == KeySource.UNCHECKED ? null : found(name, generation);
  }

  private synchronized DataKey<?> found(ByteBuffer name, int generation) {
    Read found = generation == readGeneration ? read.get(name) : null;
    return found != null && nanos.getAsLong() - found.expires() < 0 ? found.key() : null;
  }

  synchronized int size() {
    return read.size();
  }

  /** The calls without an outcome. */
  synchronized int underWay() {
    return flights.size();
  }

  synchronized void close() {
    read.clear();
    written.clear();
    failures.clear();
    threads.shutdown();
  }

  private boolean mayWrite(Written key, int generation, int length) {
    if (generation == KeySource.UNCHECKED || key.generation != generation || key.messages < 1) return false;
    // One that is larger than all bytes together may be the first.
    if (key.bytes < length && key.messages < settings.writeMessages()) return false;
    long now = nanos.getAsLong();
    return now - (key.since + settings.writeTime().toNanos()) < 0 || now - key.nextTry < 0;
  }

  /** Waits for a key, with everybody else who does. */
  private DataKey<?> fetch(ByteBuffer name, Supplier<DataKey<?>> call) {
    if (source.isLocal()) return call.get();
    CompletableFuture<DataKey<?>> flight = flight(name, call);
    return WorkflowUnsafe.deadlockDetectorOff(() -> await(flight));
  }

  /** The call that is under way for a key, or a new one. */
  private CompletableFuture<DataKey<?>> flight(ByteBuffer name, Supplier<DataKey<?>> call) {
    return flight(name, call, source.generation());
  }

  private synchronized CompletableFuture<DataKey<?>> flight(
      ByteBuffer name, Supplier<DataKey<?>> call, int generation) {
    CompletableFuture<DataKey<?>> known = flights.get(name);
    if (known != null) return known;
    // It may have landed since it was missed.
    DataKey<?> landed = generation == KeySource.UNCHECKED ? null : found(name, generation);
    if (landed != null) return CompletableFuture.completedFuture(landed);
    Failure failure = failures.get(name);
    if (failure != null && nanos.getAsLong() - failure.until() < 0)
      return CompletableFuture.failedFuture(failure.error());
    CompletableFuture<DataKey<?>> flight = new CompletableFuture<>();
    threads.execute(
        () -> {
          // Put away before anybody hears of it: who asks again at once must not get this call's outcome once more.
          try {
            DataKey<?> key = call.get();
            landed(name, null);
            flight.complete(key);
          } catch (Throwable e) {
            landed(name, e);
            flight.completeExceptionally(e);
          }
        });
    flights.put(name, flight);
    return flight;
  }

  private synchronized void landed(ByteBuffer name, Throwable error) {
    flights.remove(name);
    failures.remove(name);
    // A keyring is asked again at once: it may have the key by now.
    if (!(error instanceof CodecException fault) || !source.asksForEachKey()) return;
    if (failures.size() >= settings.maxKeys()) failures.clear();
    long pause = fault.reason() == KEY_UNAVAILABLE ? FAULT_NANOS : REFUSAL_NANOS;
    failures.put(name, new Failure(fault, nanos.getAsLong() + pause));
  }

  private DataKey<?> await(CompletableFuture<DataKey<?>> flight) {
    try {
      return flight.get(settings.timeout().toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new CodecException(
          KEY_UNAVAILABLE, "the key service did not answer within " + settings.timeout().toMillis() + " ms");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CodecException(KEY_UNAVAILABLE, "the wait for the key service was interrupted");
    } catch (ExecutionException e) {
      // A new one, so that its trace is this thread's and no two tasks share one.
      if (e.getCause() instanceof CodecException known) throw new CodecException(known.reason(), known.getMessage());
      throw new CodecException(
          KEY_UNAVAILABLE, "the key source failed: " + e.getCause().getClass().getSimpleName());
    }
  }

  private DataKey<?> generate(ByteBuffer name, Map<String, String> context, int length) {
    source.check();
    int generation = source.generation();
    DataKey<?> key;
    try {
      key = source.generate(context);
    } catch (CodecException e) {
      return inGrace(name, generation, length, e);
    }
    synchronized (this) {
      written.put(name, new Written(key, generation, nanos.getAsLong(), settings));
    }
    return key;
  }

  /** The key in memory through a fault that may pass; after a refusal it is forgotten. */
  private synchronized DataKey<?> inGrace(ByteBuffer name, int generation, int length, CodecException fault) {
    Written key = written.get(name);
    if (fault.reason() != KEY_UNAVAILABLE) written.remove(name);
    else if (key != null && key.generation == generation && key.messages > 0 && key.bytes >= length) {
      long now = nanos.getAsLong();
      long end = key.since + settings.writeTime().toNanos() + settings.writeGrace().toNanos();
      if (now - end < 0) {
        key.nextTry = now + Math.min(NANOS_BETWEEN_TRIES, end - now);
        return key.key;
      }
    }
    throw fault;
  }

  private DataKey<?> unwrap(
      ByteBuffer name,
      Collection<? extends EncryptedDataKey> wrapped,
      CryptoAlgorithm algorithm,
      Map<String, String> context) {
    source.check();
    int generation = source.generation();
    DataKey<?> key;
    try {
      key = source.unwrap(wrapped, algorithm, context);
    } catch (CodecException e) {
      if (e.revokes()) forgetWrittenUnder(wrapped);
      throw e;
    }
    synchronized (this) {
      // What a key opened that is not there any more stays open no longer.
      if (generation != readGeneration) read.clear();
      readGeneration = generation;
      read.put(name, new Read(key, nanos.getAsLong() + settings.readTime().toNanos()));
      var oldest = read.entrySet().iterator();
      while (read.size() > settings.maxKeys()) {
        oldest.next();
        oldest.remove();
      }
    }
    return key;
  }

  /** A key that reads no more must not go on writing: the next payload asks for a new data key. */
  private synchronized void forgetWrittenUnder(Collection<? extends EncryptedDataKey> wrapped) {
    written
        .values()
        .removeIf(
            it ->
                wrapped.stream()
                    .anyMatch(edk -> Arrays.equals(edk.getProviderInformation(), it.key.getProviderInformation())));
  }

  private static ExecutorService threads() {
    var pool =
        new ThreadPoolExecutor(
            THREADS,
            THREADS,
            10,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread thread = new Thread(task, "temporal-codec-keys");
              thread.setDaemon(true);
              return thread;
            });
    pool.allowCoreThreadTimeOut(true);
    return pool;
  }

  /** A name for a key: of everything that decides whether KMS would give it. */
  private static ByteBuffer digest(
      String purpose,
      Map<String, String> context,
      CryptoAlgorithm algorithm,
      Collection<? extends EncryptedDataKey> wrapped) {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
    add(digest, purpose.getBytes(StandardCharsets.UTF_8));
    new TreeMap<>(context)
        .forEach(
            (key, value) -> {
              add(digest, key.getBytes(StandardCharsets.UTF_8));
              add(digest, value.getBytes(StandardCharsets.UTF_8));
            });
    add(digest, String.valueOf(algorithm).getBytes(StandardCharsets.UTF_8));
    for (EncryptedDataKey edk : wrapped) {
      add(digest, edk.getProviderId().getBytes(StandardCharsets.UTF_8));
      add(digest, edk.getProviderInformation());
      add(digest, edk.getEncryptedDataKey());
    }
    return ByteBuffer.wrap(digest.digest());
  }

  private static void add(MessageDigest digest, byte[] part) {
    digest.update(ByteBuffer.allocate(4).putInt(part.length).array());
    digest.update(part);
  }
}
