package temporalcodec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static temporalcodec.CodecException.Reason.CANNOT_ENCODE;
import static temporalcodec.CodecException.Reason.CANNOT_OPEN;
import static temporalcodec.CodecException.Reason.KEY_UNAVAILABLE;
import static temporalcodec.CodecException.Reason.OPTIONS;
import static temporalcodec.Payloads.payload;
import static temporalcodec.Payloads.payloads;

import io.temporal.api.common.v1.Payload;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** KMS: how often it is called, by whom, and what a fault of it does. */
class KmsKeysTest {
  private static final CacheSettings DEFAULT = CacheSettings.DEFAULT.withTimeout(Payloads.PATIENCE);

  private KmsStandIn kms;
  private final Payloads.Clock clock = new Payloads.Clock();

  @BeforeEach
  void start() throws IOException {
    kms = new KmsStandIn();
  }

  @AfterEach
  void stop() {
    kms.close();
  }

  private EncryptionCodec codec(CacheSettings cache, String write, String... read) {
    return EncryptionCodec.newBuilder(kms.keys(write, read))
        .setNamespace("orders")
        .setCache(cache)
        .setNanos(clock)
        .build();
  }

  private EncryptionCodec codec(String write, String... read) {
    return codec(DEFAULT, write, read);
  }

  private void refuse(String operation, String name, int status) {
    kms.trouble = (called, arn) -> called.equals(operation) ? new KmsStandIn.Refusal(name, status) : null;
  }

  private static CodecException refused(CodecException.Reason reason, Executable executable) {
    CodecException exception = assertThrows(CodecException.class, executable);
    assertEquals(reason, exception.reason(), exception.getMessage());
    return exception;
  }

  /** Begins them all, each in a thread of its own. */
  private static <T> List<Future<T>> atOnce(List<Callable<T>> work) {
    var threads = Executors.newCachedThreadPool();
    try {
      return work.stream().map(threads::submit).toList();
    } finally {
      threads.shutdown();
    }
  }

  @Test
  void aThousandPayloadsCostOneCallToWriteAndOneToRead() {
    var codec = codec(kms.createKey());
    var encoded = codec.encode(payloads(1000));
    assertEquals(List.of("GenerateDataKey"), kms.calls);
    assertEquals(payloads(1000), codec.decode(encoded));
    assertEquals(List.of("GenerateDataKey", "Decrypt"), kms.calls);
  }

  @Test
  void twoHundredDataKeysCostACallEachAndNoneTheSecondTime() {
    String arn = kms.createKey();
    var encoded = codec(DEFAULT.withWriteMessages(1), arn).encode(payloads(200));
    assertEquals(200, kms.count("GenerateDataKey"));
    var reader = codec(DEFAULT, null, arn);
    for (int pass = 0; pass < 2; pass++) {
      assertEquals(payloads(200), reader.decode(encoded));
      assertEquals(200, kms.count("Decrypt"));
    }
  }

  @Test
  void fiftyColdCallersWaitForOneCall() throws Exception {
    var codec = codec(kms.createKey());
    Callable<List<Payload>> caller = () -> codec.decode(codec.encode(List.of(payload("x"))));
    var callers =
        kms.hanging(
            () -> {
              var started = atOnce(Collections.nCopies(50, caller));
              Payloads.until(() -> kms.underWay.get() > 0);
              return started;
            });
    for (var it : callers) assertEquals(List.of(payload("x")), it.get());
    assertEquals(List.of("GenerateDataKey", "Decrypt"), kms.calls);
  }

  @Test
  void nothingCachedWaitsForCallsThatHangHoweverMany() throws Exception {
    String arn = kms.createKey();
    var codec = codec(arn);
    codec.decode(codec.encode(List.of(payload("x"))));
    List<Callable<List<Payload>>> foreign = new ArrayList<>();
    for (var it : codec(DEFAULT.withWriteMessages(1), arn).encode(payloads(100)))
      foreign.add(() -> codec.decode(List.of(it)));
    var others =
        kms.hanging(
            () -> {
              var started = atOnce(foreign);
              Payloads.until(() -> kms.underWay.get() == 32);
              assertEquals(List.of(payload("x")), codec.decode(codec.encode(List.of(payload("x")))));
              assertTrue(started.stream().noneMatch(Future::isDone), "they do not hang");
              return started;
            });
    for (var it : others) assertEquals(1, it.get().size());
  }

  @Test
  void whoeverWaitsForACallThatHangsGivesUpHoweverMany() throws Exception {
    String arn = kms.createKey();
    var codec = codec(DEFAULT.withTimeout(Duration.ofMillis(100)), null, arn);
    List<Callable<CodecException>> foreign = new ArrayList<>();
    for (var it : codec(DEFAULT.withWriteMessages(1), arn).encode(payloads(100)))
      foreign.add(() -> refused(KEY_UNAVAILABLE, () -> codec.decode(List.of(it))));
    kms.hanging(
        () -> {
          for (var it : atOnce(foreign)) it.get();
          return null;
        });
  }

  @Test
  void aKeyThatCameAfterItsCallerGaveUpIsThereForTheNext() throws Exception {
    var codec = codec(DEFAULT.withTimeout(Duration.ofMillis(100)), kms.createKey());
    var exception = kms.hanging(() -> refused(KEY_UNAVAILABLE, () -> codec.encode(List.of(payload("x")))));
    assertEquals("the key service did not answer within 100 ms", exception.getMessage());
    Payloads.until(() -> codec.dataKeys().underWay() == 0);
    codec.encode(List.of(payload("x")));
    assertEquals(List.of("GenerateDataKey"), kms.calls);
  }

  @Test
  void aCallIsPutAwayBeforeAnybodyHearsOfItsOutcome() throws Exception {
    String arn = kms.createKey();
    var encoded = codec(arn).encode(payloads(1));
    var reader = codec(DEFAULT, null, arn);
    var underWay = new AtomicInteger(-1);
    kms.hanging(
        () -> reader.beginToFetch(encoded.get(0)).thenRun(() -> underWay.set(reader.dataKeys().underWay())));
    Payloads.until(() -> underWay.get() >= 0);
    assertEquals(0, underWay.get());
  }

  @ParameterizedTest
  @ValueSource(strings = {"AccessDeniedException", "DisabledException", "KMSInvalidStateException"})
  void aKeyThatReadsNoMoreDoesNotGoOnWriting(String name) {
    var codec = codec(kms.createKey());
    var encoded = codec.encode(List.of(payload("x")));
    refuse("Decrypt", name, 400);
    refused(CANNOT_OPEN, () -> codec.decode(encoded));
    codec.encode(List.of(payload("x")));
    assertEquals(List.of("GenerateDataKey", "Decrypt", "GenerateDataKey"), kms.calls);
  }

  @Test
  void aPayloadThatWasAlteredTakesNoKeyAway() {
    var codec = codec(kms.createKey());
    var encoded = codec.encode(List.of(payload("x")));
    refuse("Decrypt", "InvalidCiphertextException", 400);
    refused(CANNOT_OPEN, () -> codec.decode(encoded));
    codec.encode(List.of(payload("x")));
    assertEquals(List.of("GenerateDataKey", "Decrypt"), kms.calls);
  }

  @Test
  void aKeyWritesADayAndReadsFiveMinutesByDefault() {
    var codec = codec(kms.createKey());
    codec.decode(codec.encode(List.of(payload("x"))));
    clock.passSeconds(301);
    codec.decode(codec.encode(List.of(payload("x"))));
    assertEquals(List.of("GenerateDataKey", "Decrypt", "Decrypt"), kms.calls);
    clock.passSeconds(86_400);
    codec.encode(List.of(payload("x")));
    assertEquals(2, kms.count("GenerateDataKey"));
  }

  @ParameterizedTest
  @CsvSource({"2, 1000000, 3", "1000, 60, 3", "1000, 1000000, 1", "1000, 10, 5"})
  void aKeyWritesSoManyMessagesAndBytes(long messages, long bytes, long calls) {
    var codec = codec(DEFAULT.withWriteMessages(messages).withWriteBytes(bytes), kms.createKey());
    for (int i = 0; i < 5; i++) codec.encode(List.of(payload("x")));
    assertEquals(calls, kms.count("GenerateDataKey"));
  }

  @Test
  void aFullCacheKeepsWhatWasUsedLastAndStillOpensABatchAboveIt() {
    String arn = kms.createKey();
    var encoded = codec(DEFAULT.withWriteMessages(1), arn).encode(payloads(5));
    var reader = codec(DEFAULT.withMaxKeys(2), null, arn);
    assertEquals(payloads(5), reader.decode(encoded));
    assertEquals(2, reader.dataKeys().size());
  }

  @Test
  void boundsThatBoundNothingAreRefused() {
    refused(OPTIONS, () -> DEFAULT.withWriteTime(Duration.ofHours(25)));
    refused(OPTIONS, () -> DEFAULT.withReadTime(Duration.ZERO));
    refused(OPTIONS, () -> DEFAULT.withMaxKeys(-1));
  }

  @Test
  void oneKeyWritesAndAllReadWithoutKmsEncrypt() {
    String old = kms.createKey();
    String current = kms.createKey();
    var before = codec(old, current).encode(List.of(payload("before")));
    var worker = codec(current, old);
    assertEquals(List.of(payload("before")), worker.decode(before));
    assertEquals(List.of(payload("after")), worker.decode(worker.encode(List.of(payload("after")))));
    assertFalse(kms.calls.contains("Encrypt"));
  }

  @Test
  void aKeyThatIsNotListedIsNeverAskedAndNamedWithThoseThatAre() {
    String listed = kms.createKey();
    String other = kms.createKey();
    var encoded = codec(other).encode(List.of(payload("x")));
    var exception = refused(CANNOT_OPEN, () -> codec(listed).decode(encoded));
    assertEquals("this payload needs the key " + other + ", and the codec has " + listed, exception.getMessage());
    assertFalse(kms.calls.contains("Decrypt"));
  }

  @Test
  void aReplicaInAnotherRegionReads() {
    var replicas = kms.createReplicas();
    var encoded = codec(replicas.get(0)).encode(List.of(payload("x")));
    assertEquals(List.of(payload("x")), codec(DEFAULT, null, replicas.get(1)).decode(encoded));
  }

  @Test
  void anotherNamespaceIsRefusedBeforeAKeyIsTouched() {
    String arn = kms.createKey();
    var foreign = EncryptionCodec.of("payments", kms.keys(arn)).encode(List.of(payload("x")));
    refused(CodecException.Reason.WRONG_NAMESPACE, () -> codec(arn).decode(foreign));
    assertFalse(kms.calls.contains("Decrypt"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"alias/orders", "arn:aws:kms:eu-central-1:111122223333:alias/orders", ""})
  void whatIsNotTheArnOfAKeyIsToldAtOnce(String wrong) {
    refused(OPTIONS, () -> KmsKeys.of(wrong));
  }

  @Test
  void withoutAKeyToWriteWithNothingIsWritten() {
    refused(CANNOT_ENCODE, () -> codec(DEFAULT, null, kms.createKey()).encode(List.of(payload("x"))));
  }

  @ParameterizedTest
  @CsvSource({
    "AccessDeniedException, 400, CANNOT_OPEN",
    "DisabledException, 400, CANNOT_OPEN",
    "ThrottlingException, 400, KEY_UNAVAILABLE",
    "KMSInternalException, 500, KEY_UNAVAILABLE"
  })
  void whatKmsSaysIsToldByCodeAndKeyWithoutItsText(String name, int status, CodecException.Reason reason) {
    String arn = kms.createKey();
    var encoded = codec(arn).encode(List.of(payload("x")));
    refuse("Decrypt", name, status);
    var exception = refused(reason, () -> codec(arn).decode(encoded));
    assertTrue(exception.getMessage().contains(arn + ": " + name), exception.getMessage());
    for (Throwable it = exception; it != null; it = it.getCause())
      assertFalse(String.valueOf(it.getMessage()).contains(KmsStandIn.CANARY));
  }

  @ParameterizedTest
  @CsvSource({"AccessDeniedException, 400, 2", "KMSInternalException, 500, 1"})
  void aFaultIsAnsweredFromMemoryForAMomentAndThenAskedForAgain(String name, int status, int seconds) {
    String key = kms.createKey();
    var encoded = codec(key).encode(List.of(payload("x")));
    var codec = codec(key);
    kms.calls.clear();
    kms.trouble = (operation, arn) -> new KmsStandIn.Refusal(name, status);
    for (int i = 0; i < 3; i++) {
      for (Executable work :
          List.<Executable>of(() -> codec.encode(List.of(payload("x"))), () -> codec.decode(encoded))) {
        var exception = assertThrows(CodecException.class, work);
        assertTrue(exception.getMessage().contains(name), exception.getMessage());
      }
    }
    assertEquals(List.of("GenerateDataKey", "Decrypt"), kms.calls);
    kms.trouble = (operation, arn) -> null;
    clock.passSeconds(seconds);
    assertEquals(List.of(payload("x")), codec.decode(codec.encode(List.of(payload("x")))));
    assertEquals(List.of(payload("x")), codec.decode(encoded));
  }

  @Test
  void aKmsThatIsNotThereMayComeBack() {
    var codec = codec(kms.createKey());
    kms.close();
    refused(KEY_UNAVAILABLE, () -> codec.encode(List.of(payload("x"))));
  }

  @Test
  void aKeyInMemoryWritesOnThroughAPassingFaultForAnHour() {
    var codec = codec(kms.createKey());
    codec.encode(List.of(payload("x")));
    refuse("GenerateDataKey", "KMSInternalException", 500);
    clock.passSeconds(86_400 + 3599);
    codec.encode(List.of(payload("x")));
    clock.passSeconds(11);
    refused(KEY_UNAVAILABLE, () -> codec.encode(List.of(payload("x"))));
  }

  @Test
  @Timeout(60)
  void aKeyInMemoryWritesNothingThroughAFaultThatItHasNoBytesFor() {
    var codec = codec(DEFAULT.withWriteBytes(120), kms.createKey());
    codec.encode(List.of(payload("x")));
    refuse("GenerateDataKey", "KMSInternalException", 500);
    refused(KEY_UNAVAILABLE, () -> codec.encode(List.of(payload("x".repeat(100)))));
  }

  @Test
  void aKeyInMemoryDoesNotWriteOnAfterItWasRefused() {
    var codec = codec(kms.createKey());
    codec.encode(List.of(payload("x")));
    clock.passSeconds(86_401);
    refuse("GenerateDataKey", "DisabledException", 400);
    refused(CANNOT_ENCODE, () -> codec.encode(List.of(payload("x"))));
    clock.passSeconds(2);
    refuse("GenerateDataKey", "ThrottlingException", 400);
    refused(KEY_UNAVAILABLE, () -> codec.encode(List.of(payload("x"))));
  }
}
