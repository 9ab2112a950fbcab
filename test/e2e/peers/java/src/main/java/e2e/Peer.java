package e2e;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowClientOptions;
import io.temporal.client.WorkflowOptions;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import io.temporal.worker.Worker;
import io.temporal.worker.WorkerFactory;
import java.nio.file.Path;
import temporalcodec.EncryptionPlugin;
import temporalcodec.KeyringFile;

/**
 * A worker and a client of Temporal's Java SDK, with the library of workers/java.
 *
 * <pre>
 * worker ADDRESS NAMESPACE TASK_QUEUE KEYRING
 * start ADDRESS NAMESPACE TASK_QUEUE KEYRING WORKFLOW_ID INPUT_JSON
 * </pre>
 */
public final class Peer {
  private Peer() {}

  public static void main(String[] args) throws Exception {
    String taskQueue = args[3];
    var plugin = new EncryptionPlugin(KeyringFile.at(Path.of(args[4])));
    var service =
        WorkflowServiceStubs.newServiceStubs(
            WorkflowServiceStubsOptions.newBuilder().setTarget(args[1]).build());
    var client =
        WorkflowClient.newInstance(
            service,
            WorkflowClientOptions.newBuilder().setNamespace(args[2]).setPlugins(plugin).build());

    if (args[0].equals("start")) {
      var json = new ObjectMapper();
      var options =
          WorkflowOptions.newBuilder().setWorkflowId(args[5]).setTaskQueue(taskQueue).build();
      var message = json.readValue(args[6], Relay.Message.class);
      var answer = client.newWorkflowStub(Relay.class, options).relay(message);
      System.out.println(json.writeValueAsString(answer));
    } else {
      WorkerFactory factory = WorkerFactory.newInstance(client);
      Worker worker = factory.newWorker(taskQueue);
      worker.registerWorkflowImplementationTypes(Relay.Implementation.class);
      worker.registerActivitiesImplementations((Relay.Activities) secret -> secret + " seen by Java");
      factory.start();
      System.out.println("ready");
      // Until whoever started this closes its input.
      System.in.readAllBytes();
      factory.shutdownNow();
    }
    service.shutdownNow();
    System.exit(0);
  }
}
