import com.amazonaws.encryptionsdk.AwsCrypto;
import com.amazonaws.encryptionsdk.CryptoAlgorithm;
import com.amazonaws.encryptionsdk.MasterKeyProvider;
import com.amazonaws.encryptionsdk.jce.JceMasterKey;
import com.amazonaws.encryptionsdk.kmssdkv2.KmsMasterKeyProvider;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.ByteString;
import com.google.protobuf.util.JsonFormat;
import io.temporal.api.common.v1.Payload;
import io.temporal.api.common.v1.Payloads;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import javax.crypto.spec.SecretKeySpec;
import temporalcodec.EncryptionCodec;
import temporalcodec.KeySource;
import temporalcodec.KeyringFile;
import temporalcodec.KeyringSecret;
import temporalcodec.KmsKeys;

/**
 * Encodes or decodes a list of payloads with the library for Java, from stdin to stdout, as the codec protocol's JSON:
 * {@code JavaPeer encode|decode NAMESPACE kms|keyring|secret ARN|FILE [signed]}. The library writes one suite; what is to be
 * signed is written by the official one alone, under the same keys.
 */
public final class JavaPeer {
  public static void main(String[] args) throws Exception {
    String namespace = args[1];
    boolean kms = args[2].equals("kms");
    KeySource own =
        switch (args[2]) {
          case "kms" -> KmsKeys.of(args[3]);
          case "secret" -> KeyringSecret.of(args[3]);
          default -> KeyringFile.at(Path.of(args[3]));
        };
    var codec = EncryptionCodec.of(namespace, own);
    var given = Payloads.newBuilder();
    JsonFormat.parser().merge(new String(System.in.readAllBytes(), StandardCharsets.UTF_8), given);
    var list = given.getPayloadsList();
    List<Payload> result;
    if (args.length > 4 && args[4].equals("signed")) {
      MasterKeyProvider<?> keys =
          kms ? KmsMasterKeyProvider.builder().buildStrict(args[3]) : currentKey(Path.of(args[3]));
      result = list.stream().map(it -> signed(it, namespace, keys)).toList();
    } else {
      result = args[0].equals("encode") ? codec.encode(list) : codec.decode(list);
    }
    System.out.write(
        JsonFormat.printer()
            .print(Payloads.newBuilder().addAllPayloads(result))
            .getBytes(StandardCharsets.UTF_8));
    System.out.flush();
  }

  private static Payload signed(Payload payload, String namespace, MasterKeyProvider<?> keys) {
    var sdk =
        AwsCrypto.builder()
            .withEncryptionAlgorithm(CryptoAlgorithm.ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384)
            .build();
    byte[] message =
        sdk.encryptData(keys, payload.toByteArray(), Map.of("temporal-namespace", namespace)).getResult();
    return Payload.newBuilder()
        .putMetadata("encoding", ByteString.copyFromUtf8("binary/aws-encryption-sdk"))
        .setData(ByteString.copyFrom(message))
        .build();
  }

  private static JceMasterKey currentKey(Path file) throws IOException {
    JsonNode keyring = new ObjectMapper().readTree(file.toFile());
    for (JsonNode key : keyring.get("keys")) {
      if (!key.get("name").equals(keyring.get("current"))) continue;
      var bytes = new SecretKeySpec(key.get("key").binaryValue(), "AES");
      return JceMasterKey.getInstance(
          bytes, keyring.get("namespace").asText(), key.get("name").asText(), "AES/GCM/NoPadding");
    }
    throw new IOException(file + " has no current key");
  }
}
