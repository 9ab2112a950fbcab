package temporalcodec;

import static temporalcodec.CodecException.Reason.CANNOT_OPEN;
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
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import javax.crypto.spec.SecretKeySpec;

/** The keys of a keyring document, which a file or a secret holds: all of them read, {@code current} writes. */
record Keyring(String namespace, String current, Map<String, JceMasterKey> keys) {
  private static final ObjectReader JSON =
      new ObjectMapper()
          .reader()
          .with(DeserializationFeature.FAIL_ON_TRAILING_TOKENS, DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY);
  private static final int LONGEST_NAME = 256;
  private static final int KEY_LENGTH = 32;

  /** Bytes behind the key's name in a raw AES keyring's provider info: tag length, IV length, IV. */
  private static final int INFO_TAIL = 20;

  /** Says what is wrong with a document: names the place, and never what is written there. */
  static final class WrongDocument extends Exception {
    WrongDocument(String message) {
      super(message);
    }
  }

  /** A new data key under the key that writes. */
  DataKey<?> generate(Map<String, String> context) {
    return keys.get(current).generateDataKey(DataKeys.WRITE_SUITE, context);
  }

  /** Whether a key of that name is there. */
  boolean hasKeyFor(Collection<? extends EncryptedDataKey> wrapped) {
    return wrapped.stream().anyMatch(it -> keyOf(it) != null);
  }

  /**
   * The data key of a message.
   *
   * @param where what holds the document, for the error
   * @throws CodecException when no key opens it
   */
  DataKey<?> unwrap(
      Collection<? extends EncryptedDataKey> wrapped,
      CryptoAlgorithm algorithm,
      Map<String, String> context,
      String where) {
    for (EncryptedDataKey edk : wrapped) {
      JceMasterKey key = keyOf(edk);
      if (key == null) continue;
      try {
        return key.decryptDataKey(algorithm, List.of(edk), context);
      } catch (RuntimeException e) {
        throw new CodecException(
            CANNOT_OPEN,
            "the key "
                + namespace
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
            + where
            + " has "
            + listed(keys.keySet().stream().map(it -> namespace + "/" + it).toList()));
  }

  private JceMasterKey keyOf(EncryptedDataKey edk) {
    return namespace.equals(edk.getProviderId()) ? keys.get(keyName(edk)) : null;
  }

  private static String keyName(EncryptedDataKey edk) {
    byte[] info = edk.getProviderInformation();
    return new String(Arrays.copyOf(info, Math.max(info.length - INFO_TAIL, 0)), StandardCharsets.UTF_8);
  }

  /**
   * @throws WrongDocument when it is not one
   */
  static Keyring parse(String document) throws WrongDocument {
    JsonNode root;
    try {
      root = JSON.readTree(document);
    } catch (JsonProcessingException e) {
      String where =
          e.getLocation() == null
              ? ""
              : " at line " + e.getLocation().getLineNr() + " column " + e.getLocation().getColumnNr();
      throw new WrongDocument("it is not valid JSON" + where);
    }
    fields(root, "the keyring", "namespace", "current", "keys");
    String namespace = name(root.get("namespace"), "namespace");
    // The AWS Encryption SDK reserves this prefix: such a key would be taken for one of KMS.
    if (namespace.startsWith("aws-kms")) throw new WrongDocument("namespace must not start with \"aws-kms\"");
    String current = name(root.get("current"), "current");
    JsonNode list = root.get("keys");
    if (!list.isArray() || list.isEmpty()) throw new WrongDocument("keys must be an array with at least one element");
    Map<String, JceMasterKey> keys = new LinkedHashMap<>();
    for (int i = 0; i < list.size(); i++) {
      String place = "keys[" + i + "]";
      fields(list.get(i), place, "name", "key");
      String name = name(list.get(i).get("name"), place + ".name");
      SecretKeySpec key = new SecretKeySpec(key(list.get(i).get("key"), place + ".key"), "AES");
      if (keys.put(name, JceMasterKey.getInstance(key, namespace, name, "AES/GCM/NoPadding")) != null)
        throw new WrongDocument(place + ".name stands there twice");
    }
    if (!keys.containsKey(current)) throw new WrongDocument("current names no key of keys");
    return new Keyring(namespace, current, keys);
  }

  private static void fields(JsonNode node, String place, String... names) throws WrongDocument {
    if (!node.isObject()) throw new WrongDocument(place + " must be an object with " + String.join(", ", names));
    Set<String> present = new TreeSet<>();
    node.fieldNames().forEachRemaining(present::add);
    if (!present.equals(new TreeSet<>(List.of(names))))
      throw new WrongDocument(place + " must have the fields " + String.join(", ", names) + ", and no others");
  }

  private static String name(JsonNode node, String place) throws WrongDocument {
    String value = node.isTextual() ? node.asText() : "";
    if (value.isEmpty() || value.length() > LONGEST_NAME || value.chars().anyMatch(Character::isISOControl))
      throw new WrongDocument(place + " must be a printable text of 1 to " + LONGEST_NAME + " characters");
    return value;
  }

  private static byte[] key(JsonNode node, String place) throws WrongDocument {
    try {
      byte[] key = node.isTextual() ? Base64.getDecoder().decode(node.asText()) : new byte[0];
      if (key.length == KEY_LENGTH && Base64.getEncoder().encodeToString(key).equals(node.asText())) return key;
    } catch (IllegalArgumentException e) {
      // told below, without what stands there
    }
    throw new WrongDocument(place + " must be the base64 of " + KEY_LENGTH + " bytes, with its padding");
  }
}
