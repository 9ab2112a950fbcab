package languages;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowClientOptions;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import io.temporal.worker.Worker;
import io.temporal.worker.WorkerFactory;
import io.temporal.worker.WorkerFactoryOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import temporalcodec.CacheSettings;
import temporalcodec.EncryptionCodec;
import temporalcodec.EncryptionPlugin;
import temporalcodec.KeySource;
import temporalcodec.KeyringFile;
import temporalcodec.KmsKeys;
import temporalcodec.Plaintext;

/** The worker under test in Java; what it is told and has to do is in ../../README.md. */
public final class WorkerUnderTest {
  private WorkerUnderTest() {}

  public static void main(String[] args) throws Exception {
    List<WorkerFactory> factories = new ArrayList<>();
    for (JsonNode told : new ObjectMapper().readTree(System.getenv("WORKERS"))) factories.add(start(told));
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(factories)));
    System.out.println("READY");
    Thread.currentThread().join();
  }

  private static WorkerFactory start(JsonNode told) {
    var service =
        WorkflowServiceStubs.newServiceStubs(
            WorkflowServiceStubsOptions.newBuilder().setTarget(told.get("address").asText()).build());
    var options = WorkflowClientOptions.newBuilder().setNamespace(told.get("namespace").asText());
    if (!told.get("keys").isNull()) options.setPlugins(plugin(told));
    var factoryOptions = WorkerFactoryOptions.newBuilder();
    String cached = System.getenv("CACHED_WORKFLOWS");
    if (cached != null) factoryOptions.setWorkflowCacheSize(Integer.parseInt(cached));
    WorkerFactory factory =
        WorkerFactory.newInstance(WorkflowClient.newInstance(service, options.build()), factoryOptions.build());
    Worker worker = factory.newWorker(told.get("taskQueue").asText());
    worker.registerWorkflowImplementationTypes(
        Workflows.EchoImpl.class, Workflows.FailImpl.class, Workflows.CollectImpl.class, Workflows.CallNexusImpl.class);
    worker.registerActivitiesImplementations(new Workflows.ActivitiesImpl());
    worker.registerNexusServiceImplementation(new Workflows.TableImpl());
    factory.start();
    return factory;
  }

  private static EncryptionPlugin plugin(JsonNode told) {
    JsonNode keys = told.get("keys");
    KeySource source =
        keys.has("kms")
            ? KmsKeys.of(keys.get("kms").get("write").asText(), texts(keys.get("kms").path("read")))
            : KeyringFile.at(Path.of(keys.get("keyring").asText()));
    CacheSettings cache = CacheSettings.DEFAULT;
    if (told.has("timeoutMs")) cache = cache.withTimeout(Duration.ofMillis(told.get("timeoutMs").asLong()));
    if (told.has("writeMessages")) cache = cache.withWriteMessages(told.get("writeMessages").asLong());
    var options = EncryptionCodec.newBuilder(source).setCache(cache).setAlsoDecode(texts(told.path("alsoDecode")));
    if (told.has("plaintext")) options.setPlaintext(Plaintext.valueOf(told.get("plaintext").asText().toUpperCase()));
    return new EncryptionPlugin(options, true);
  }

  private static String[] texts(JsonNode list) {
    List<String> texts = new ArrayList<>();
    list.forEach(it -> texts.add(it.asText()));
    return texts.toArray(String[]::new);
  }

  private static void stop(List<WorkerFactory> factories) {
    factories.forEach(WorkerFactory::shutdownNow);
    factories.forEach(it -> it.awaitTermination(2, TimeUnit.SECONDS));
    // The SDK's own threads would hold the process up.
    Runtime.getRuntime().halt(0);
  }
}
