package greeting;

import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowClientOptions;
import io.temporal.client.WorkflowOptions;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import io.temporal.worker.WorkerFactory;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import java.nio.file.Path;
import temporalcodec.EncryptionPlugin;
import temporalcodec.KeyringFile;
import temporalcodec.KmsKeys;

/** A worker whose inputs, results and failures are encrypted, against a development server. */
public final class GreetingWorker {
  @WorkflowInterface
  public interface Greeting {
    @WorkflowMethod
    String greet(String name);
  }

  public static final class GreetingImpl implements Greeting {
    @Override
    public String greet(String name) {
      return "Hello, " + name + "!";
    }
  }

  public static void main(String[] args) throws Exception {
    String keyArn = System.getenv("KMS_KEY_ARN");
    var keys =
        keyArn == null
            ? KeyringFile.at(Path.of(env("KEYRING", "../../.codec-server/keyring.json")))
            : KmsKeys.of(keyArn);
    var service =
        WorkflowServiceStubs.newServiceStubs(
            WorkflowServiceStubsOptions.newBuilder()
                .setTarget(env("TEMPORAL_ADDRESS", "localhost:7233"))
                .build());
    var client =
        WorkflowClient.newInstance(
            service,
            WorkflowClientOptions.newBuilder()
                .setNamespace(env("TEMPORAL_NAMESPACE", "default"))
                .setPlugins(new EncryptionPlugin(keys))
                .build());
    WorkerFactory factory = WorkerFactory.newInstance(client);
    factory.newWorker("greetings").registerWorkflowImplementationTypes(GreetingImpl.class);
    factory.start();
    var options =
        WorkflowOptions.newBuilder()
            .setWorkflowId("greeting-java")
            .setTaskQueue("greetings")
            .build();
    System.out.println(client.newWorkflowStub(Greeting.class, options).greet("Ada"));
    factory.shutdown();
    service.shutdown();
  }

  private static String env(String name, String otherwise) {
    String value = System.getenv(name);
    return value == null ? otherwise : value;
  }
}
