package codec;

import com.amazonaws.encryptionsdk.MasterKeyProvider;
import com.amazonaws.encryptionsdk.jce.JceMasterKey;
import com.amazonaws.encryptionsdk.kmssdkv2.KmsMasterKeyProvider;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import javax.crypto.spec.SecretKeySpec;

/** Where data keys come from. */
public final class Keys {
  private Keys() {}

  /** AWS KMS: every key in the list can read what is written, so list one, or one for each Region. */
  public static MasterKeyProvider<?> ofKms(String... arns) {
    return KmsMasterKeyProvider.builder().buildStrict(arns);
  }

  /** The current key of a keyring file, such as the local codec server makes: development without AWS. */
  public static MasterKeyProvider<?> ofKeyring(Path file) throws IOException {
    JsonNode keyring = new ObjectMapper().readTree(file.toFile());
    for (JsonNode key : keyring.get("keys")) {
      if (!key.get("name").equals(keyring.get("current"))) continue;
      var bytes = new SecretKeySpec(key.get("key").binaryValue(), "AES");
      return JceMasterKey.getInstance(
          bytes, keyring.get("namespace").asText(), key.get("name").asText(), "AES/GCM/NoPadding");
    }
    throw new IOException(file + " has no key of the name that it says is current");
  }
}
