package e2e;

import com.google.protobuf.util.JsonFormat;
import io.temporal.api.common.v1.Payload;
import io.temporal.api.common.v1.Payloads;
import io.temporal.payload.codec.OkHttpRemoteDataEncoderCodec;
import io.temporal.payload.codec.PayloadCodec;
import java.nio.charset.StandardCharsets;
import java.util.List;
import okhttp3.OkHttpClient;

/**
 * Runs temporal-remote-data-encoder as a program: payloads as proto3 JSON on standard input, the codec's answer on
 * standard output. Arguments: encode or decode, and the endpoint.
 */
public final class RemoteCodec {
  private RemoteCodec() {}

  public static void main(String[] args) throws Exception {
    String operation = args[0];
    String endpoint = args[1];
    Payloads.Builder payloads = Payloads.newBuilder();
    JsonFormat.parser().merge(new String(System.in.readAllBytes(), StandardCharsets.UTF_8), payloads);

    OkHttpClient client = new OkHttpClient();
    PayloadCodec codec = new OkHttpRemoteDataEncoderCodec(client, endpoint);
    List<Payload> given = payloads.getPayloadsList();
    List<Payload> answer = operation.equals("encode") ? codec.encode(given) : codec.decode(given);
    System.out.println(JsonFormat.printer().print(Payloads.newBuilder().addAllPayloads(answer)));

    client.dispatcher().executorService().shutdown();
    client.connectionPool().evictAll();
  }
}
