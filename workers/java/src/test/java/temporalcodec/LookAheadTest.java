package temporalcodec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static temporalcodec.Payloads.payloads;

import com.google.protobuf.ByteString;
import io.temporal.api.common.v1.Payload;
import io.temporal.api.history.v1.HistoryEvent;
import io.temporal.payload.context.WorkflowSerializationContext;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Replays of many data keys: fetched side by side, by whoever may, and no more than once. */
class LookAheadTest {
  private static final int KEYS = 60;

  /** Calls that a look ahead has under way at once. */
  private static final int CALLS = 16;

  private final List<String> asked = new CopyOnWriteArrayList<>();
  private KmsStandIn kms;
  private String arn;
  private EncryptionCodec reader;
  private List<Payload> encoded;
  private List<Payload> history;

  @BeforeEach
  void start() throws IOException {
    kms = new KmsStandIn();
    arn = kms.createKey();
    encoded = writer("orders").encode(payloads(KEYS));
    history = encoded;
    reader = codec("orders", kms.keys(null, arn), CacheSettings.DEFAULT);
    reader
        .lookAhead()
        .use(
            workflowId -> {
              asked.add(workflowId);
              return history.stream().map(LookAheadTest::signal);
            });
    kms.calls.clear();
  }

  @AfterEach
  void stop() {
    kms.close();
  }

  private EncryptionCodec writer(String namespace) {
    return codec(namespace, kms.keys(arn), CacheSettings.DEFAULT.withWriteMessages(1));
  }

  private static EncryptionCodec codec(String namespace, KmsKeys keys, CacheSettings cache) {
    return EncryptionCodec.newBuilder(keys)
        .setNamespace(namespace)
        .setCache(cache.withTimeout(Payloads.PATIENCE))
        .build();
  }

  private static HistoryEvent signal(Payload payload) {
    HistoryEvent.Builder event = HistoryEvent.newBuilder();
    event.getWorkflowExecutionSignaledEventAttributesBuilder().getInputBuilder().addPayloads(payload);
    return event.build();
  }

  /** Decodes as the SDK does: one payload after the other. */
  private List<Payload> replay(List<Payload> payloads) {
    var codec = reader.withContext(new WorkflowSerializationContext("orders", "long"));
    return payloads.stream().flatMap(it -> codec.decode(List.of(it)).stream()).toList();
  }

  private void untilTheLookAheadHasEnded() {
    Payloads.until(() -> !reader.lookAhead().isLooking() && reader.dataKeys().underWay() == 0);
  }

  /** From the time that the history is read, lets a call wait until as many are under way as a look ahead makes. */
  private void waitForALookAhead() {
    if (!asked.isEmpty()) Payloads.until(() -> kms.mostAtOnce.get() >= CALLS);
  }

  @Test
  void aReplayThatMissesKeyAfterKeyHasTheOthersFetchedSideBySide() {
    kms.trouble =
        (operation, key) -> {
          waitForALookAhead();
          return null;
        };
    assertEquals(payloads(KEYS), replay(encoded));
    untilTheLookAheadHasEnded();
    assertEquals(KEYS, kms.count("Decrypt"));
    // And the one that the replay waits for.
    assertTrue(kms.mostAtOnce.get() == CALLS || kms.mostAtOnce.get() == CALLS + 1, kms.mostAtOnce + " calls at once");
    assertEquals(payloads(KEYS), replay(encoded));
    assertEquals(KEYS, kms.count("Decrypt"));
    assertEquals(List.of("long"), asked);
  }

  @Test
  void aFewKeysAreNoReasonToReadAHistory() {
    replay(encoded.subList(0, 3));
    assertEquals(List.of(), asked);
  }

  @Test
  void whatHappensOutsideOfAWorkflowIsNoReplay() {
    encoded.subList(0, 10).forEach(it -> reader.decode(List.of(it)));
    assertEquals(List.of(), asked);
  }

  @Test
  void aKeyOfAnotherNamespaceIsNotAskedFor() {
    history = new ArrayList<>(encoded.subList(0, 5));
    history.addAll(writer("payments").encode(payloads(5)));
    kms.calls.clear();
    replay(encoded.subList(0, 5));
    untilTheLookAheadHasEnded();
    assertEquals(List.of("long"), asked);
    assertEquals(5, kms.count("Decrypt"));
  }

  @Test
  void itEndsAtTheFirstRefusal() {
    kms.trouble =
        (operation, key) -> {
          waitForALookAhead();
          return kms.count("Decrypt") > 10 ? new KmsStandIn.Refusal("AccessDeniedException", 400) : null;
        };
    assertThrows(CodecException.class, () -> replay(encoded));
    untilTheLookAheadHasEnded();
    assertTrue(kms.count("Decrypt") < 40, kms.count("Decrypt") + " calls");
  }

  @Test
  void aHistoryThatCannotBeReadMakesItSlowAndNotWrong() {
    reader
        .lookAhead()
        .use(
            workflowId -> {
              throw new IllegalStateException("Temporal does not answer");
            });
    assertEquals(payloads(KEYS), replay(encoded));
  }

  @Test
  void payloadsAreFoundWhereverTheyStand() {
    HistoryEvent.Builder event = HistoryEvent.newBuilder();
    var started = event.getWorkflowExecutionStartedEventAttributesBuilder();
    started.getInputBuilder().addPayloads(named("input"));
    started.getMemoBuilder().putFields("a", named("memo"));
    started.getContinuedFailureBuilder().getCauseBuilder().setEncodedAttributes(named("cause"));
    event.getUserMetadataBuilder().setSummary(named("summary"));
    Set<String> found = new TreeSet<>();
    LookAhead.payloadsOf(event.build(), it -> found.add(it.getData().toStringUtf8()));
    assertEquals(Set.of("input", "memo", "cause", "summary"), found);
  }

  private static Payload named(String text) {
    return Payload.newBuilder().setData(ByteString.copyFromUtf8(text)).build();
  }
}
