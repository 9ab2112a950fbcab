package temporalcodec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static temporalcodec.Payloads.payload;

import io.temporal.api.failure.v1.Failure;
import io.temporal.client.WorkflowClientOptions;
import io.temporal.client.schedules.ScheduleClientOptions;
import io.temporal.common.converter.CodecDataConverter;
import io.temporal.common.converter.DataConverter;
import io.temporal.common.converter.DefaultDataConverter;
import io.temporal.failure.ApplicationFailure;
import io.temporal.payload.context.WorkflowSerializationContext;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The plugin: converter, encrypted failures and namespace in one line. */
class EncryptionPluginTest {
  @TempDir Path folder;
  private EncryptionPlugin plugin;
  private KeyringFile keys;

  @BeforeEach
  void make() throws IOException {
    keys = KeyringFile.at(new Payloads.Keyrings(folder).write("keyring.json", "one", "one"));
    plugin = new EncryptionPlugin(keys);
  }

  private DataConverter configured(EncryptionPlugin plugin, String namespace) {
    var builder = WorkflowClientOptions.newBuilder().setNamespace(namespace);
    plugin.configureWorkflowClient(builder);
    return builder.build().getDataConverter().withContext(new WorkflowSerializationContext(namespace, "w"));
  }

  @Test
  void theNamespaceIsTheClients() {
    var encoded = configured(plugin, "payments").toPayload("secret").orElseThrow();
    assertEquals(
        "payments",
        assertThrows(CodecException.class, () -> configured(plugin, "orders").fromPayload(encoded, String.class, String.class))
            .getMessage()
            .replaceAll(".*namespace (\\w+) was.*", "$1"));
    assertEquals("secret", configured(plugin, "payments").fromPayload(encoded, String.class, String.class));
    var schedules = ScheduleClientOptions.newBuilder().setNamespace("payments");
    plugin.configureScheduleClient(schedules);
    assertEquals("secret", schedules.build().getDataConverter().fromPayload(encoded, String.class, String.class));
  }

  @Test
  void whatItsBuilderBecomesAfterwardsChangesNothing() {
    var options = EncryptionCodec.newBuilder(keys);
    var made = new EncryptionPlugin(options, true);
    options.setNamespace("other").setPlaintext(Plaintext.REFUSE);
    var encoded = configured(made, "orders").toPayload("secret").orElseThrow();
    assertEquals("secret", configured(plugin, "orders").fromPayload(encoded, String.class, String.class));
    assertEquals("plain", configured(made, "orders").fromPayload(payload("plain"), String.class, String.class));
    assertThrows(CodecException.class, () -> new EncryptionPlugin(EncryptionCodec.newBuilder(keys).setPlaintext(null), true));
  }

  @Test
  void aClientThatNamesNoNamespaceWorksInDefault() {
    var builder = WorkflowClientOptions.newBuilder();
    plugin.configureWorkflowClient(builder);
    var encoded = builder.build().getDataConverter().toPayload("secret").orElseThrow();
    assertEquals("secret", configured(plugin, "default").fromPayload(encoded, String.class, String.class));
  }

  @Test
  void failuresHoldNothingReadableAndComeBack() {
    var converter = configured(plugin, "orders");
    Failure failure =
        converter.exceptionToFailure(
            ApplicationFailure.newBuilder()
                .setMessage("outer secret")
                .setType("Failed")
                .setDetails("detail secret")
                .setCause(new IllegalStateException("inner secret"))
                .build());
    assertFalse(failure.toString().contains("secret"), failure.toString());
    assertEquals("Failed", failure.getApplicationFailureInfo().getType());
    var read = (ApplicationFailure) converter.failureToException(failure);
    assertEquals("outer secret", read.getOriginalMessage());
    assertEquals("detail secret", read.getDetails().get(String.class));
    assertTrue(read.getCause().getMessage().contains("inner secret"));
  }

  @Test
  void theCodecsOwnFailuresStayReadable() {
    var own = new CodecException(CodecException.Reason.CANNOT_OPEN, "this payload needs the key codec-server/new");
    var converter = configured(plugin, "orders");
    Failure alone = converter.exceptionToFailure(own);
    assertEquals("this payload needs the key codec-server/new", alone.getMessage());
    assertFalse(alone.hasEncodedAttributes());
    // As the SDK fails a task: nothing around the codec's own text.
    assertEquals(alone, converter.exceptionToFailure(new RuntimeException("outer secret", own)));
    Failure thrown = converter.exceptionToFailure(ApplicationFailure.newFailureWithCause("outer secret", "Failed", own));
    assertEquals(alone.getMessage(), thrown.getCause().getMessage());
    assertEquals("Failed", thrown.getApplicationFailureInfo().getType());
    assertFalse(thrown.toString().contains("secret"), thrown.toString());
  }

  @Test
  void aFailureAroundOneOfTheCodecIsWithheldWhileNothingCanBeEncrypted() throws IOException {
    try (var kms = new KmsStandIn()) {
      var converter = configured(new EncryptionPlugin(kms.keys(kms.createKey())), "orders");
      kms.trouble = (operation, arn) -> new KmsStandIn.Refusal("AccessDeniedException", 400);
      var own = new CodecException(CodecException.Reason.CANNOT_OPEN, "KMS refuses the key");
      var failure =
          converter.exceptionToFailure(
              ApplicationFailure.newBuilder()
                  .setMessage("outer secret")
                  .setType("Failed")
                  .setDetails("detail secret")
                  .setCause(own)
                  .build());
      assertTrue(failure.getMessage().startsWith("withheld: KMS refuses the key arn:"), failure.getMessage());
      assertEquals("KMS refuses the key", failure.getCause().getMessage());
      assertFalse(failure.toString().contains("secret"), failure.toString());
      // One that the codec did not cause fails the task, and is told when the key is there again.
      assertThrows(CodecException.class, () -> converter.exceptionToFailure(new RuntimeException("secret")));
    }
  }

  @Test
  void failuresStayPlainWhereSomebodyAsksForIt() {
    var plain = new EncryptionPlugin(EncryptionCodec.newBuilder(keys), false);
    assertEquals("text", configured(plain, "orders").exceptionToFailure(new RuntimeException("text")).getMessage());
  }

  @Test
  void aClientWithAnotherCodecIsRefused() {
    var other = new CodecDataConverter(DefaultDataConverter.newDefaultInstance(), List.of());
    var builder = WorkflowClientOptions.newBuilder().setDataConverter(other);
    var exception = assertThrows(CodecException.class, () -> plugin.configureWorkflowClient(builder));
    assertTrue(exception.getMessage().contains("has a payload codec already"));
  }

  @Test
  void nothingIsEncodedForAnotherNamespaceThanTheClients() {
    var builder = WorkflowClientOptions.newBuilder().setNamespace("orders");
    plugin.configureWorkflowClient(builder);
    var converter = builder.build().getDataConverter();
    var foreign = converter.withContext(new WorkflowSerializationContext("payments", "w"));
    assertThrows(CodecException.class, () -> foreign.toPayload("x"));
    assertEquals(payload("x"), EncryptionCodec.of("orders", keys).decode(List.of(converter.toPayload("x").orElseThrow())).get(0));
  }
}
