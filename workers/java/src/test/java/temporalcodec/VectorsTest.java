package temporalcodec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.ByteString;
import com.google.protobuf.util.JsonFormat;
import io.temporal.api.common.v1.Payload;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The vectors that every language of this repository is held to. */
class VectorsTest {
  private static final Path VECTORS = Path.of("../../test/vectors/aws-encryption-sdk-python.json");

  @TempDir Path folder;
  private EncryptionCodec codec;

  private static JsonNode vectors() throws IOException {
    return new ObjectMapper().readTree(VECTORS.toFile());
  }

  static Stream<Arguments> good() throws IOException {
    return StreamSupport.stream(vectors().get("good").spliterator(), false)
        .map(it -> Arguments.of(it.get("name").asText(), it));
  }

  @BeforeEach
  void open() throws IOException {
    Path file = new Payloads.Keyrings(folder).text("keyring.json", vectors().get("keyring").toString());
    codec = EncryptionCodec.of("orders-dev.a1b2c", KeyringFile.at(file));
  }

  private static Payload payloadOf(JsonNode json) throws IOException {
    var payload = Payload.newBuilder();
    JsonFormat.parser().merge(json.toString(), payload);
    return payload.build();
  }

  @ParameterizedTest(name = "decode for ever: {0}")
  @MethodSource("good")
  void frozenMessages(String name, JsonNode vector) throws IOException {
    assertEquals(List.of(payloadOf(vector.get("expect"))), codec.decode(List.of(payloadOf(vector.get("payload")))));
  }

  @ParameterizedTest(name = "do not open when altered, shortened or longer: {0}")
  @MethodSource("good")
  void spoiltMessages(String name, JsonNode vector) throws IOException {
    Payload payload = payloadOf(vector.get("payload"));
    byte[] data = payload.getData().toByteArray();
    for (int at = 0; at < data.length; at++) {
      ByteString shortened = payload.getData().substring(0, at);
      assertThrows(CodecException.class, () -> decode(payload, shortened), "cut at " + at);
      byte[] altered = data.clone();
      altered[at] ^= (byte) (1 << (at % 8));
      assertThrows(CodecException.class, () -> decode(payload, ByteString.copyFrom(altered)), "altered at " + at);
    }
    ByteString longer = payload.getData().concat(ByteString.copyFrom(new byte[1]));
    assertThrows(CodecException.class, () -> decode(payload, longer));
  }

  private void decode(Payload payload, ByteString data) {
    codec.decode(List.of(payload.toBuilder().setData(data).build()));
  }
}
