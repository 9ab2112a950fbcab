package temporalcodec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static temporalcodec.CodecException.Reason.CANNOT_ENCODE;
import static temporalcodec.CodecException.Reason.CANNOT_OPEN;
import static temporalcodec.CodecException.Reason.OPTIONS;
import static temporalcodec.CodecException.Reason.PLAINTEXT_REFUSED;
import static temporalcodec.CodecException.Reason.WRONG_NAMESPACE;
import static temporalcodec.Payloads.payload;

import io.temporal.api.common.v1.Payload;
import io.temporal.payload.context.WorkflowSerializationContext;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a payload is bound to, what is left alone, and what is refused. */
class EncryptionCodecTest {
  @TempDir Path folder;
  private KeyringFile keys;

  @BeforeEach
  void writeKeyring() throws IOException {
    keys = KeyringFile.at(new Payloads.Keyrings(folder).write("keyring.json", "one", "one"));
  }

  private EncryptionCodec.Builder orders() {
    return EncryptionCodec.newBuilder(keys).setNamespace("orders");
  }

  private List<Payload> ofPayments() {
    return EncryptionCodec.of("payments", keys).encode(List.of(payload("secret")));
  }

  private static CodecException refused(CodecException.Reason reason, Executable executable) {
    CodecException exception = assertThrows(CodecException.class, executable);
    assertEquals(reason, exception.reason(), exception.getMessage());
    return exception;
  }

  @Test
  void whatIsEncodedHoldsNothingReadableAndDecodes() {
    var codec = orders().build();
    byte[] large = new byte[3_000_000];
    Arrays.fill(large, (byte) 'x');
    var given = List.of(payload("a secret"), payload("binary/plain", large), payload("binary/null", new byte[0]));
    var encoded = codec.encode(given);
    for (Payload it : encoded) {
      assertEquals("binary/aws-encryption-sdk", it.getMetadataOrThrow("encoding").toStringUtf8());
      // A message of version 2 and suite 0x0478.
      assertArrayEquals(new byte[] {2, 4, 0x78}, it.getData().substring(0, 3).toByteArray());
    }
    assertFalse(encoded.get(0).getData().toStringUtf8().contains("a secret"));
    assertEquals(given, codec.decode(encoded));
  }

  @Test
  void aPayloadEncodedTwiceIsPeeledTwice() {
    var codec = orders().build();
    assertEquals(List.of(payload("x")), codec.decode(codec.encode(codec.encode(List.of(payload("x"))))));
  }

  @Test
  void moreThanEightLayersAreRefused() {
    var codec = orders().build();
    List<Payload> nested = List.of(payload("x"));
    for (int i = 0; i < 9; i++) nested = codec.encode(nested);
    var tooDeep = nested;
    refused(CANNOT_OPEN, () -> codec.decode(tooDeep));
  }

  @Test
  void anotherNamespaceIsRefusedByTheNamesOfBoth() {
    var exception = refused(WRONG_NAMESPACE, () -> orders().build().decode(ofPayments()));
    assertTrue(exception.getMessage().contains("namespace payments was met in orders"), exception.getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"payments", "pay*", "*", "*ments"})
  void furtherNamespacesAreDecodedWhereTheyAreNamed(String pattern) {
    assertEquals(List.of(payload("secret")), orders().setAlsoDecode(pattern).build().decode(ofPayments()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"payment", "payments.", "ayments", "p*x"})
  void aPatternMatchesWholeNames(String pattern) {
    refused(WRONG_NAMESPACE, () -> orders().setAlsoDecode(pattern).build().decode(ofPayments()));
  }

  @Test
  void plaintextIsLeftAloneOrRefused() {
    var plain = List.of(payload("plain"));
    assertEquals(plain, orders().build().decode(plain));
    var refusing = orders().setPlaintext(Plaintext.REFUSE).build();
    refused(PLAINTEXT_REFUSED, () -> refusing.decode(plain));
    refused(PLAINTEXT_REFUSED, () -> refusing.decode(List.of(payload("binary/zlib", new byte[9]))));
    assertEquals(plain, refusing.decode(refusing.encode(plain)));
  }

  @Test
  void nothingIsEncodedForAnotherNamespaceThanTheClients() {
    var codec = orders().build();
    var foreign = codec.withContext(new WorkflowSerializationContext("payments", "w"));
    var exception = refused(CANNOT_ENCODE, () -> foreign.encode(List.of(payload("x"))));
    assertTrue(exception.getMessage().contains("payments would be bound to orders"), exception.getMessage());
    assertEquals(List.of(payload("x")), foreign.decode(codec.encode(List.of(payload("x")))));
    var own = foreign.withContext(new WorkflowSerializationContext("orders", "w"));
    assertEquals(List.of(payload("x")), own.decode(own.encode(List.of(payload("x")))));
  }

  @Test
  void wrongOptionsAreToldAtOnce() {
    refused(OPTIONS, () -> EncryptionCodec.of("", keys));
    refused(OPTIONS, () -> EncryptionCodec.of("orders", null));
    refused(OPTIONS, () -> orders().setAlsoDecode("").build());
    refused(OPTIONS, () -> orders().setInflatedBytes(0).build());
    refused(OPTIONS, () -> orders().setPlaintext(null).build());
    refused(OPTIONS, () -> orders().setCache(null).build());
    refused(OPTIONS, () -> orders().setAlsoDecode((String) null).build());
    refused(OPTIONS, () -> orders().setAlsoDecode((String[]) null).build());
  }
}
