package temporalcodec;

import static temporalcodec.CodecException.Reason.CANNOT_OPEN;
import static temporalcodec.CodecException.Reason.KEYRING_FILE;
import static temporalcodec.Names.listed;
import static temporalcodec.Names.shown;

import com.amazonaws.encryptionsdk.CryptoAlgorithm;
import com.amazonaws.encryptionsdk.DataKey;
import com.amazonaws.encryptionsdk.EncryptedDataKey;
import com.amazonaws.encryptionsdk.jce.JceMasterKey;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongSupplier;
import javax.crypto.spec.SecretKeySpec;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keyring file: wrapping keys for a machine without AWS, shared with the local codec server. All of its keys read,
 * its {@code current} writes, and a changed file is picked up within a second. While the file is gone, broken or open to
 * others, the keys stay as they were, and the log says why.
 */
public final class KeyringFile implements KeySource {
  private static final Logger LOG = LoggerFactory.getLogger(KeyringFile.class);
  private static final ObjectReader JSON =
      new ObjectMapper()
          .reader()
          .with(DeserializationFeature.FAIL_ON_TRAILING_TOKENS, DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY);
  private static final int LARGEST_FILE = 1_048_576;
  private static final int LONGEST_NAME = 256;
  private static final int KEY_LENGTH = 32;

  /** Bytes behind the key's name in a raw AES keyring's provider info: tag length, IV length, IV. */
  private static final int INFO_TAIL = 20;

  private static final long NANOS_BETWEEN_LOOKS = 1_000_000_000L;

  private record Keyring(String namespace, String current, Map<String, JceMasterKey> keys) {}

  private final Path path;
  private final LongSupplier nanos;
  private volatile Keyring keyring;
  private volatile int generation;
  private volatile long nextLook;
  private String text;
  private String problem;

  private KeyringFile(Path path, LongSupplier nanos) {
    this.path = path;
    this.nanos = nanos;
    this.text = readPrivateFile();
    this.keyring = parse(text);
    this.nextLook = nanos.getAsLong() + NANOS_BETWEEN_LOOKS;
  }

  /**
   * @param path the file, such as {@code .codec-server/keyring.json}
   * @throws CodecException when it cannot be read at the start
   */
  public static KeyringFile at(Path path) {
    return new KeyringFile(path, System::nanoTime);
  }

  static KeyringFile at(Path path, LongSupplier nanos) {
    return new KeyringFile(path, nanos);
  }

  @Override
  public boolean isLocal() {
    return true;
  }

  @Override
  public int generation() {
    look();
    return generation;
  }

  @Override
  public DataKey<?> generate(Map<String, String> context) {
    look();
    Keyring now = keyring;
    return now.keys().get(now.current()).generateDataKey(DataKeys.WRITE_SUITE, context);
  }

  @Override
  public DataKey<?> unwrap(
      Collection<? extends EncryptedDataKey> wrapped, CryptoAlgorithm algorithm, Map<String, String> context) {
    look();
    Keyring now = keyring;
    for (EncryptedDataKey edk : wrapped) {
      JceMasterKey key = now.namespace().equals(edk.getProviderId()) ? now.keys().get(keyName(edk)) : null;
      if (key == null) continue;
      try {
        return key.decryptDataKey(algorithm, List.of(edk), context);
      } catch (RuntimeException e) {
        throw new CodecException(
            CANNOT_OPEN,
            "the key "
                + now.namespace()
                + "/"
                + key.getKeyId()
                + " does not open this payload: it was altered, or another key has that name");
      }
    }
    throw new CodecException(
        CANNOT_OPEN,
        "this payload needs the key "
            + listed(wrapped.stream().map(it -> shown(it.getProviderId()) + "/" + shown(keyName(it))).toList())
            + ", and "
            + path
            + " has "
            + listed(now.keys().keySet().stream().map(it -> now.namespace() + "/" + it).toList()));
  }

  private static String keyName(EncryptedDataKey edk) {
    byte[] info = edk.getProviderInformation();
    return new String(Arrays.copyOf(info, Math.max(info.length - INFO_TAIL, 0)), StandardCharsets.UTF_8);
  }

  private void look() {
    if (nanos.getAsLong() - nextLook < 0) return;
    synchronized (this) {
      if (nanos.getAsLong() - nextLook < 0) return;
      nextLook = nanos.getAsLong() + NANOS_BETWEEN_LOOKS;
      try {
        String read = readPrivateFile();
        if (!read.equals(text)) {
          keyring = parse(read);
          text = read;
          generation++;
        }
        problem = null;
      } catch (CodecException e) {
        if (!e.getMessage().equals(problem)) LOG.warn("{} The keys stay as they were.", e.getMessage());
        problem = e.getMessage();
      }
    }
  }

  private String readPrivateFile() {
    try {
      if (!Files.isRegularFile(path)) {
        if (Files.notExists(path)) throw new NoSuchFileException(path.toString());
        throw unusable("is not a file.");
      }
      if (Files.size(path) > LARGEST_FILE) throw unusable("is too large: " + Files.size(path) + " bytes.");
      PosixFileAttributeView view = Files.getFileAttributeView(path, PosixFileAttributeView.class);
      // Windows has no such permissions.
      if (view != null) {
        Set<PosixFilePermission> permissions = view.readAttributes().permissions();
        String shown = PosixFilePermissions.toString(permissions);
        if (!shown.endsWith("------"))
          throw unusable("can be read or changed by others (" + shown + "): run \"chmod 600 " + path + "\".");
      }
      return Files.readString(path);
    } catch (NoSuchFileException e) {
      throw unusable("does not exist.");
    } catch (IOException e) {
      throw unusable("cannot be read (" + e.getClass().getSimpleName() + ").");
    }
  }

  private CodecException unusable(String why) {
    return new CodecException(KEYRING_FILE, "The keyring " + path + " " + why);
  }

  private Keyring parse(String document) {
    JsonNode root;
    try {
      root = JSON.readTree(document);
    } catch (JsonProcessingException e) {
      String where =
          e.getLocation() == null
              ? ""
              : " at line " + e.getLocation().getLineNr() + " column " + e.getLocation().getColumnNr();
      throw unusable("cannot be used: it is not valid JSON" + where + ".");
    }
    fields(root, "the keyring", "namespace", "current", "keys");
    String namespace = name(root.get("namespace"), "namespace");
    // The AWS Encryption SDK reserves this prefix: such a key would be taken for one of KMS.
    if (namespace.startsWith("aws-kms")) throw wrong("namespace must not start with \"aws-kms\"");
    String current = name(root.get("current"), "current");
    JsonNode list = root.get("keys");
    if (!list.isArray() || list.isEmpty()) throw wrong("keys must be an array with at least one element");
    Map<String, JceMasterKey> keys = new LinkedHashMap<>();
    for (int i = 0; i < list.size(); i++) {
      String place = "keys[" + i + "]";
      fields(list.get(i), place, "name", "key");
      String name = name(list.get(i).get("name"), place + ".name");
      SecretKeySpec key = new SecretKeySpec(key(list.get(i).get("key"), place + ".key"), "AES");
      if (keys.put(name, JceMasterKey.getInstance(key, namespace, name, "AES/GCM/NoPadding")) != null)
        throw wrong(place + ".name stands there twice");
    }
    if (!keys.containsKey(current)) throw wrong("current names no key of keys");
    return new Keyring(namespace, current, keys);
  }

  /** Names the place of what is wrong, and never what is written there. */
  private CodecException wrong(String what) {
    return unusable("cannot be used: " + what + ".");
  }

  private void fields(JsonNode node, String place, String... names) {
    if (!node.isObject()) throw wrong(place + " must be an object with " + String.join(", ", names));
    Set<String> present = new TreeSet<>();
    node.fieldNames().forEachRemaining(present::add);
    if (!present.equals(new TreeSet<>(List.of(names))))
      throw wrong(place + " must have the fields " + String.join(", ", names) + ", and no others");
  }

  private String name(JsonNode node, String place) {
    String value = node.isTextual() ? node.asText() : "";
    if (value.isEmpty() || value.length() > LONGEST_NAME || value.chars().anyMatch(Character::isISOControl))
      throw wrong(place + " must be a printable text of 1 to " + LONGEST_NAME + " characters");
    return value;
  }

  private byte[] key(JsonNode node, String place) {
    try {
      byte[] key = node.isTextual() ? Base64.getDecoder().decode(node.asText()) : new byte[0];
      if (key.length == KEY_LENGTH && Base64.getEncoder().encodeToString(key).equals(node.asText())) return key;
    } catch (IllegalArgumentException e) {
      // told below, without what stands there
    }
    throw wrong(place + " must be the base64 of " + KEY_LENGTH + " bytes, with its padding");
  }
}
