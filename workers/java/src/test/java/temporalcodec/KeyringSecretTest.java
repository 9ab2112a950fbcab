package temporalcodec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static temporalcodec.CodecException.Reason.CANNOT_OPEN;
import static temporalcodec.CodecException.Reason.KEYRING_SECRET;
import static temporalcodec.CodecException.Reason.KEY_UNAVAILABLE;
import static temporalcodec.CodecException.Reason.OPTIONS;
import static temporalcodec.Payloads.payload;

import io.temporal.api.common.v1.Payload;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.services.secretsmanager.model.SecretsManagerException;

/** A keyring in Secrets Manager: how often it is read, how long it counts, and what ends it. */
class KeyringSecretTest {
  private static final String ARN = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:codec-keyring-a1b2c3";
  private static final String CANARY = "canary-text-of-aws";
  private static final List<Payload> PLAIN = List.of(payload("x"));

  @TempDir Path folder;
  private final Payloads.Clock clock = new Payloads.Clock();
  private Payloads.Keyrings keyrings;
  private String text;
  private RuntimeException error;
  private int reads;
  private EncryptionCodec codec;

  @BeforeEach
  void start() throws IOException {
    keyrings = new Payloads.Keyrings(folder);
    text = document("old", "old");
    var secret =
        KeyringSecret.with(
            ARN,
            arn -> {
              assertEquals(ARN, arn);
              reads++;
              if (error != null) throw error;
              return text;
            },
            clock);
    codec = EncryptionCodec.newBuilder(secret).setNamespace("orders").setNanos(clock).build();
  }

  private String document(String current, String... names) throws IOException {
    return Files.readString(keyrings.write("secret.json", current, names));
  }

  private EncryptionCodec file(String current, String... names) throws IOException {
    return EncryptionCodec.of("orders", KeyringFile.at(keyrings.write("file.json", current, names)));
  }

  private static RuntimeException refusal(String code, int status) {
    return SecretsManagerException.builder()
        .statusCode(status)
        .awsErrorDetails(AwsErrorDetails.builder().errorCode(code).errorMessage(CANARY).build())
        .build();
  }

  private static CodecException refused(CodecException.Reason reason, Executable executable) {
    CodecException exception = assertThrows(CodecException.class, executable);
    assertEquals(reason, exception.reason(), exception.getMessage());
    assertFalse(exception.getMessage().contains(CANARY), exception.getMessage());
    return exception;
  }

  @Test
  void whatItWritesIsReadUnderTheSameDocumentInAFile() throws IOException {
    var file = file("old", "old");
    assertEquals(PLAIN, file.decode(codec.encode(PLAIN)));
    assertEquals(PLAIN, codec.decode(file.encode(PLAIN)));
  }

  @Test
  void itIsReadOnceInFiveMinutes() {
    for (int i = 0; i < 3; i++) {
      codec.decode(codec.encode(PLAIN));
      clock.passSeconds(99);
    }
    assertEquals(1, reads);
    clock.passSeconds(4);
    codec.encode(PLAIN);
    assertEquals(2, reads);
  }

  @Test
  void aKeyThatAPayloadNamesIsLookedForEveryThirtySeconds() throws IOException {
    codec.encode(PLAIN);
    clock.passSeconds(31);
    var encoded = file("new", "old", "new").encode(PLAIN);
    for (int i = 0; i < 3; i++) {
      String message = refused(CANNOT_OPEN, () -> codec.decode(encoded)).getMessage();
      assertTrue(message.contains("needs the key codec-server/new") && message.contains("has codec-server/old"), message);
    }
    assertEquals(2, reads);
    text = document("new", "old", "new");
    clock.passSeconds(31);
    assertEquals(PLAIN, codec.decode(encoded));
  }

  @Test
  void aKeyThatWasTakenOutReadsAndWritesNoLongerThanFiveMinutes() throws IOException {
    var encoded = codec.encode(PLAIN);
    codec.decode(encoded);
    clock.passSeconds(250);
    codec.decode(encoded);
    text = document("new", "new");
    clock.passSeconds(51);
    refused(CANNOT_OPEN, () -> codec.decode(encoded));
    assertEquals(PLAIN, codec.decode(codec.encode(PLAIN)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"ResourceNotFoundException", "AccessDeniedException", "InvalidRequestException", "slip", "bytes"})
  void aSecretThatCanBeReachedAndNotUsedEndsWithItsTime(String what) {
    var encoded = codec.encode(PLAIN);
    codec.decode(encoded);
    if (what.endsWith("Exception")) error = refusal(what, 400);
    else text = what.equals("slip") ? text.substring(1) : null;
    clock.passSeconds(299);
    codec.decode(encoded);
    clock.passSeconds(2);
    refused(KEYRING_SECRET, () -> codec.decode(encoded));
    refused(KEYRING_SECRET, () -> codec.encode(PLAIN));
    assertEquals(2, reads);
  }

  @ParameterizedTest
  @ValueSource(strings = {"hanging", "InternalServiceError", "ThrottlingException"})
  void aSecretThatCannotBeReachedGoesOnForAnHourAndNoLonger(String what) {
    var encoded = codec.encode(PLAIN);
    error =
        what.equals("hanging")
            ? SdkClientException.create(CANARY)
            : refusal(what, what.startsWith("Internal") ? 500 : 400);
    clock.passSeconds(3800);
    assertEquals(PLAIN, codec.decode(encoded));
    codec.encode(PLAIN);
    clock.passSeconds(101);
    refused(KEY_UNAVAILABLE, () -> codec.decode(encoded));
    refused(KEY_UNAVAILABLE, () -> codec.encode(PLAIN));
    error = null;
    clock.passSeconds(6);
    assertEquals(PLAIN, codec.decode(encoded));
  }

  @Test
  void anArnThatIsNoneIsToldAtOnce() {
    refused(OPTIONS, () -> KeyringSecret.of("codec-keyring"));
    refused(OPTIONS, () -> KeyringSecret.of(null));
    KeyringSecret.of(ARN);
  }
}
