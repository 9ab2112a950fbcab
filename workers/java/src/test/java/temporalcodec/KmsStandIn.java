package temporalcodec;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.retries.DefaultRetryStrategy;
import software.amazon.awssdk.services.kms.KmsClient;

/** A KMS in this process: the service's JSON protocol over a socket, real AES-GCM, calls counted, faults on demand. */
final class KmsStandIn implements AutoCloseable {
  static final String CANARY = "canary-text-of-aws";

  /** What goes wrong: an exception of KMS by its name. */
  record Refusal(String name, int status) {}

  private static final ObjectMapper JSON = new ObjectMapper();

  static {
    // An answer in two packets would wait for the client's acknowledgement of the first: 40 ms a call.
    System.setProperty("sun.net.httpserver.nodelay", "true");
  }

  final List<String> calls = new CopyOnWriteArrayList<>();
  /** The most calls that were under way at once. */
  final AtomicInteger mostAtOnce = new AtomicInteger();

  /** The calls that are not answered yet. */
  final AtomicInteger underWay = new AtomicInteger();

  /** Asked for every call, with operation and key: null, or what is wrong with it. It may wait. */
  volatile BiFunction<String, String, Refusal> trouble = (operation, key) -> null;

  private final Map<String, SecretKeySpec> keys = new ConcurrentHashMap<>();
  private final SecureRandom random = new SecureRandom();
  private volatile CountDownLatch held = new CountDownLatch(0);
  private final HttpServer server;

  KmsStandIn() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 128);
    server.setExecutor(Executors.newCachedThreadPool());
    server.createContext("/", this::serve);
    server.start();
  }

  String createKey() {
    String arn = "arn:aws:kms:eu-central-1:111122223333:key/" + UUID.randomUUID();
    keys.put(arn, new SecretKeySpec(randomBytes(32), "AES"));
    return arn;
  }

  /** A multi-Region key: its ARNs in eu-central-1 and us-east-1. */
  List<String> createReplicas() {
    var material = new SecretKeySpec(randomBytes(32), "AES");
    String id = "mrk-" + UUID.randomUUID().toString().replace("-", "");
    var arns = List.of("eu-central-1", "us-east-1").stream()
        .map(it -> "arn:aws:kms:" + it + ":111122223333:key/" + id)
        .toList();
    arns.forEach(it -> keys.put(it, material));
    return arns;
  }

  KmsKeys keys(String write, String... read) {
    return KmsKeys.withClients(this::client, write, List.of(read));
  }

  long count(String operation) {
    return Collections.frequency(calls, operation);
  }

  private KmsClient client(Region region) {
    return KmsClient.builder()
        .region(region)
        .endpointOverride(URI.create("http://127.0.0.1:" + server.getAddress().getPort()))
        .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("test", "test")))
        .overrideConfiguration(
            it ->
                it.apiCallTimeout(Payloads.PATIENCE)
                    .retryStrategy(DefaultRetryStrategy.standardStrategyBuilder().maxAttempts(1).build()))
        .build();
  }

  /** Answers no call until the work is done. */
  <T> T hanging(Callable<T> work) throws Exception {
    held = new CountDownLatch(1);
    try {
      return work.call();
    } finally {
      held.countDown();
    }
  }

  @Override
  public void close() {
    held.countDown();
    server.stop(0);
  }

  private void serve(HttpExchange exchange) throws IOException {
    JsonNode body = JSON.readTree(exchange.getRequestBody());
    String operation = exchange.getRequestHeaders().getFirst("X-Amz-Target").replace("TrentService.", "");
    String arn = body.get("KeyId").asText();
    calls.add(operation);
    int status = 200;
    Object answer;
    try {
      mostAtOnce.accumulateAndGet(underWay.incrementAndGet(), Math::max);
      held.await();
      Refusal refusal = trouble.apply(operation, arn);
      if (refusal == null && !keys.containsKey(arn)) refusal = new Refusal("NotFoundException", 400);
      if (refusal == null) answer = answer(operation, arn, body);
      else {
        status = refusal.status();
        answer = Map.of("__type", refusal.name(), "message", CANARY + " " + arn);
      }
    } catch (GeneralSecurityException e) {
      status = 400;
      answer = Map.of("__type", "InvalidCiphertextException", "message", CANARY);
    } catch (InterruptedException e) {
      throw new IOException(e);
    } finally {
      underWay.decrementAndGet();
    }
    byte[] text = JSON.writeValueAsBytes(answer);
    exchange.getResponseHeaders().add("Content-Type", "application/x-amz-json-1.1");
    exchange.sendResponseHeaders(status, text.length);
    exchange.getResponseBody().write(text);
    exchange.close();
  }

  private Object answer(String operation, String arn, JsonNode body) throws GeneralSecurityException, IOException {
    byte[] context = JSON.writeValueAsBytes(JSON.convertValue(body.path("EncryptionContext"), TreeMap.class));
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    switch (operation) {
      case "GenerateDataKey" -> {
        byte[] plaintext = randomBytes(body.get("NumberOfBytes").asInt());
        byte[] nonce = randomBytes(12);
        cipher.init(Cipher.ENCRYPT_MODE, keys.get(arn), new GCMParameterSpec(128, nonce));
        cipher.updateAAD(context);
        byte[] sealed = cipher.doFinal(plaintext);
        byte[] blob = Arrays.copyOf(nonce, 12 + sealed.length);
        System.arraycopy(sealed, 0, blob, 12, sealed.length);
        return Map.of("KeyId", arn, "Plaintext", plaintext, "CiphertextBlob", blob);
      }
      case "Decrypt" -> {
        byte[] blob = body.get("CiphertextBlob").binaryValue();
        cipher.init(Cipher.DECRYPT_MODE, keys.get(arn), new GCMParameterSpec(128, blob, 0, 12));
        cipher.updateAAD(context);
        return Map.of("KeyId", arn, "Plaintext", cipher.doFinal(blob, 12, blob.length - 12));
      }
      default -> throw new GeneralSecurityException(operation);
    }
  }

  private byte[] randomBytes(int count) {
    byte[] bytes = new byte[count];
    random.nextBytes(bytes);
    return bytes;
  }
}
