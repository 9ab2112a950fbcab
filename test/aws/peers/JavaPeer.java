import codec.EncryptionCodec;
import codec.Keys;
import com.amazonaws.encryptionsdk.CryptoAlgorithm;
import com.google.protobuf.util.JsonFormat;
import io.temporal.api.common.v1.Payloads;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Encodes or decodes a list of payloads with the Java example, from stdin to stdout, as the codec
 * protocol's JSON: {@code JavaPeer encode|decode NAMESPACE kms|keyring ARN|FILE [signed]}.
 */
public final class JavaPeer {
  public static void main(String[] args) throws Exception {
    var keys = args[2].equals("kms") ? Keys.ofKms(args[3]) : Keys.ofKeyring(Path.of(args[3]));
    boolean signed = args.length > 4 && args[4].equals("signed");
    var suite =
        signed
            ? CryptoAlgorithm.ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384
            : CryptoAlgorithm.ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY;
    var codec = new EncryptionCodec(args[1], keys, suite);
    var given = Payloads.newBuilder();
    JsonFormat.parser().merge(new String(System.in.readAllBytes(), StandardCharsets.UTF_8), given);
    var list = given.getPayloadsList();
    var result = args[0].equals("encode") ? codec.encode(list) : codec.decode(list);
    System.out.write(
        JsonFormat.printer()
            .print(Payloads.newBuilder().addAllPayloads(result))
            .getBytes(StandardCharsets.UTF_8));
    System.out.flush();
  }
}
