package temporalcodec;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.temporal.api.common.v1.Payload;
import io.temporal.api.history.v1.HistoryEvent;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Fetches the data keys of a history side by side, before its payloads are asked for.
 *
 * <p>The SDK decodes the payloads of a workflow one after another and shows a codec none that is to come: a replay of a
 * thousand data keys would wait for a thousand calls in a row, longer than a workflow task may take. So a workflow that
 * keeps missing keys has its history read once more, for the keys in it.
 */
final class LookAhead {
  private static final Logger LOG = LoggerFactory.getLogger(LookAhead.class);

  /** Keys that one workflow misses in a row before its history is read. Fewer are fetched as quickly without. */
  private static final int MISSES = 4;

  /**
   * After which a miss counts no longer: as long as a workflow task takes at most. Keys of a workflow that goes on for
   * hours leave the cache one by one, without a replay.
   */
  private static final long WINDOW_NANOS = TimeUnit.SECONDS.toNanos(10);

  /** Before the history of the same workflow is read again. */
  private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(60);

  /** Calls under way at once: half of the threads, so that what nobody looked ahead for finds a free one. */
  private static final int CALLS = 16;

  private static final int WORKFLOWS = 1000;

  private static final class Misses {
    int count;
    long last;
    long nextLook;
  }

  private final Function<Payload, CompletableFuture<?>> fetch;
  private final LongSupplier nanos;
  private final AtomicBoolean looking = new AtomicBoolean();
  private volatile Function<String, Stream<HistoryEvent>> histories;
  // Under the monitor of this object.
  private final Map<String, Misses> misses =
      new LinkedHashMap<>(64, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Misses> eldest) {
          return size() > WORKFLOWS;
        }
      };

  /**
   * @param fetch begins to fetch the data key of a payload; null when there is nothing to fetch
   */
  LookAhead(Function<Payload, CompletableFuture<?>> fetch, LongSupplier nanos) {
    this.fetch = fetch;
    this.nanos = nanos;
  }

  /** Reads the history of a workflow by its id. Until it is given, there is no look ahead. */
  void use(Function<String, Stream<HistoryEvent>> histories) {
    this.histories = histories;
  }

  /** Tells of a key that was not in the cache. */
  void missed(String workflowId) {
    Function<String, Stream<HistoryEvent>> read = histories;
    if (read == null || !isDue(workflowId)) return;
    Thread thread =
        new Thread(
            () -> {
              try (Stream<HistoryEvent> events = read.apply(workflowId)) {
                fetchAll(events.iterator());
              } catch (RuntimeException e) {
                // The decoding meets it, too, and tells it where somebody waits for it.
                LOG.debug("The look ahead has ended: {}", e.getClass().getSimpleName());
              } finally {
                looking.set(false);
              }
            },
            "temporal-codec-look-ahead");
    thread.setDaemon(true);
    thread.start();
  }

  /** Whether it is at work. */
  boolean isLooking() {
    return looking.get();
  }

  private synchronized boolean isDue(String workflowId) {
    long now = nanos.getAsLong();
    Misses known = misses.computeIfAbsent(workflowId, it -> new Misses());
    known.count = known.count > 0 && now - known.last < WINDOW_NANOS ? known.count + 1 : 1;
    known.last = now;
    if (known.count < MISSES || (known.nextLook != 0 && now - known.nextLook < 0)) return false;
    if (!looking.compareAndSet(false, true)) return false;
    known.nextLook = now + PAUSE_NANOS;
    return true;
  }

  /** Stops at the first fault. */
  private void fetchAll(Iterator<HistoryEvent> events) {
    Deque<CompletableFuture<?>> underWay = new ArrayDeque<>();
    Consumer<Payload> begin =
        payload -> {
          if (underWay.size() >= CALLS) underWay.remove().join();
          CompletableFuture<?> call = fetch.apply(payload);
          if (call != null) underWay.add(call);
        };
    while (events.hasNext()) payloadsOf(events.next(), begin);
    while (!underWay.isEmpty()) underWay.remove().join();
  }

  /** Hands over every payload in a message of Temporal's API, wherever it stands. */
  static void payloadsOf(Message message, Consumer<Payload> found) {
    if (message instanceof Payload payload) {
      found.accept(payload);
      return;
    }
    message
        .getAllFields()
        .forEach(
            (field, value) -> {
              if (field.getJavaType() != FieldDescriptor.JavaType.MESSAGE) return;
              // A map is a list of entries here, which are messages themselves.
              if (value instanceof Collection<?> several) several.forEach(it -> payloadsOf((Message) it, found));
              else payloadsOf((Message) value, found);
            });
  }
}
