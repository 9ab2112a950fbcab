package temporalcodec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static temporalcodec.Payloads.payload;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The keyring file: all keys read, one writes, and a changed file is picked up. */
class KeyringFileTest {
  @TempDir Path folder;
  private Payloads.Keyrings keyrings;
  private final Payloads.Clock clock = new Payloads.Clock();

  @BeforeEach
  void start() {
    keyrings = new Payloads.Keyrings(folder);
  }

  private EncryptionCodec codecOf(Path file) {
    return EncryptionCodec.of("orders", KeyringFile.at(file, clock));
  }

  @Test
  void afterKeygenTheNewKeyWritesAndTheOlderOnesRead() throws IOException {
    var worker = codecOf(keyrings.write("keyring.json", "old", "old"));
    var before = worker.encode(List.of(payload("before")));
    keyrings.write("keyring.json", "new", "old", "new");
    clock.passSeconds(2);
    var after = worker.encode(List.of(payload("after")));
    assertTrue(after.get(0).getData().toStringUtf8().contains("new"));
    assertEquals(List.of(payload("before")), worker.decode(before));
    assertEquals(List.of(payload("after")), worker.decode(after));
  }

  @Test
  void aKeyThatIsMissingIsToldByNameAndPickedUpWhenItComes() throws IOException {
    var written = codecOf(keyrings.write("other.json", "new", "old", "new")).encode(List.of(payload("x")));
    Path file = keyrings.write("keyring.json", "old", "old");
    var worker = codecOf(file);
    var exception = assertThrows(CodecException.class, () -> worker.decode(written));
    assertEquals(
        "this payload needs the key codec-server/new, and " + file + " has codec-server/old",
        exception.getMessage());
    keyrings.write("keyring.json", "old", "old", "new");
    clock.passSeconds(2);
    assertEquals(List.of(payload("x")), worker.decode(written));
  }

  @Test
  void anotherKeyOfTheSameNameIsTold() throws IOException {
    var written = codecOf(keyrings.write("keyring.json", "one", "one")).encode(List.of(payload("x")));
    var impostor = codecOf(new Payloads.Keyrings(folder).write("impostor.json", "one", "one"));
    var exception = assertThrows(CodecException.class, () -> impostor.decode(written));
    assertTrue(exception.getMessage().contains("another key has that name"), exception.getMessage());
  }

  @Test
  void whileTheFileCannotBeUsedTheKeysStay() throws IOException {
    Path file = keyrings.write("keyring.json", "one", "one");
    var worker = codecOf(file);
    Files.writeString(file, "{");
    clock.passSeconds(2);
    assertEquals(List.of(payload("x")), worker.decode(worker.encode(List.of(payload("x")))));
  }

  @ParameterizedTest
  @ValueSource(strings = {"broken", "gone", "open to others"})
  void aFileThatCannotBeUsedServesForFiveMinutesAndNoLonger(String how) throws IOException {
    Path file = keyrings.write("keyring.json", "one", "one");
    byte[] good = Files.readAllBytes(file);
    var worker = codecOf(file);
    var written = worker.encode(List.of(payload("x")));
    if (how.equals("gone")) Files.delete(file);
    else if (how.equals("broken")) Files.writeString(file, "{");
    else Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    clock.passSeconds(299);
    assertEquals(List.of(payload("x")), worker.decode(written));
    worker.encode(List.of(payload("x")));
    clock.passSeconds(1);
    assertThrows(CodecException.class, () -> worker.decode(written));
    assertThrows(CodecException.class, () -> worker.encode(List.of(payload("x"))));
    Files.deleteIfExists(file);
    Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.write(file, good);
    clock.passSeconds(1);
    assertEquals(List.of(payload("x")), worker.decode(written));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[]|must be an object",
        "{|not valid JSON at line 1",
        "{\"namespace\":\"n\",\"current\":\"a\"}|must have the fields",
        "{\"namespace\":\"aws-kms\",\"current\":\"a\",\"keys\":[]}|aws-kms",
        "{\"namespace\":\"n\",\"current\":\"a\",\"keys\":[]}|at least one",
        "{\"namespace\":\"n\",\"current\":\"a\",\"keys\":[{\"name\":\"a\",\"key\":\"c2VjcmV0\"}]}|base64 of 32",
      })
  void whatIsNotAKeyringIsRefusedWithoutAWordOfIt(String text, String message) throws IOException {
    Path file = keyrings.text("keyring.json", text);
    var exception = assertThrows(CodecException.class, () -> KeyringFile.at(file));
    assertTrue(exception.getMessage().contains(message), exception.getMessage());
    assertFalse(exception.getMessage().contains("c2VjcmV0"));
  }

  @Test
  void aKeyringThatOthersCanReadOrThatIsMissingIsRefused() throws IOException {
    Path file = keyrings.write("keyring.json", "one", "one");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    var open = assertThrows(CodecException.class, () -> KeyringFile.at(file));
    assertTrue(open.getMessage().contains("run \"chmod 600"), open.getMessage());
    var missing = assertThrows(CodecException.class, () -> KeyringFile.at(folder.resolve("none.json")));
    assertTrue(missing.getMessage().contains("does not exist"), missing.getMessage());
  }
}
