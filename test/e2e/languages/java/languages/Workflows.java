package languages;

import io.nexusrpc.Operation;
import io.nexusrpc.Service;
import io.nexusrpc.handler.OperationHandler;
import io.nexusrpc.handler.OperationImpl;
import io.nexusrpc.handler.ServiceImpl;
import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityMethod;
import io.temporal.activity.ActivityOptions;
import io.temporal.failure.ActivityFailure;
import io.temporal.failure.ApplicationFailure;
import io.temporal.workflow.NexusOperationOptions;
import io.temporal.workflow.NexusServiceOptions;
import io.temporal.workflow.QueryMethod;
import io.temporal.workflow.SignalMethod;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What the worker under test registers. */
final class Workflows {
  private Workflows() {}

  @ActivityInterface
  public interface Activities {
    @ActivityMethod(name = "echo")
    String echo(String text);

    @ActivityMethod(name = "fail")
    void fail(String text);
  }

  public static final class ActivitiesImpl implements Activities {
    @Override
    public String echo(String text) {
      return text;
    }

    @Override
    public void fail(String text) {
      throw ApplicationFailure.newNonRetryableFailure("activity " + text, "Failed", text);
    }
  }

  private static Activities activities() {
    return Workflow.newActivityStub(
        Activities.class,
        ActivityOptions.newBuilder().setStartToCloseTimeout(Duration.ofMinutes(2)).build());
  }

  @WorkflowInterface
  public interface Echo {
    @WorkflowMethod(name = "echo")
    String run(String text);
  }

  public static final class EchoImpl implements Echo {
    @Override
    public String run(String text) {
      return activities().echo(text);
    }
  }

  @WorkflowInterface
  public interface Fail {
    @WorkflowMethod(name = "fail")
    void run(String text);
  }

  public static final class FailImpl implements Fail {
    @Override
    public void run(String text) {
      try {
        activities().fail(text);
      } catch (ActivityFailure e) {
        throw ApplicationFailure.newBuilder()
            .setMessage("workflow " + text)
            .setType("Failed")
            .setDetails(text)
            .setCause(e)
            .build();
      }
    }
  }

  @WorkflowInterface
  public interface Collect {
    @WorkflowMethod(name = "collect")
    List<String> run(String count);

    @SignalMethod
    void add(String text);

    @QueryMethod
    String collected();
  }

  public static final class CollectImpl implements Collect {
    private final List<String> texts = new ArrayList<>();

    @Override
    public List<String> run(String count) {
      Workflow.await(() -> texts.size() >= Integer.parseInt(count));
      return texts;
    }

    @Override
    public void add(String text) {
      texts.add(text);
    }

    @Override
    public String collected() {
      return String.valueOf(texts.size());
    }
  }

  @Service(name = "table")
  public interface Table {
    @Operation
    String greet(String text);
  }

  @ServiceImpl(service = Table.class)
  public static final class TableImpl {
    @OperationImpl
    public OperationHandler<String, String> greet() {
      return OperationHandler.sync((context, details, text) -> "greeted " + text);
    }
  }

  @WorkflowInterface
  public interface CallNexus {
    @WorkflowMethod(name = "callNexus")
    String run(String text);
  }

  public static final class CallNexusImpl implements CallNexus {
    @Override
    public String run(String text) {
      var options =
          NexusServiceOptions.newBuilder()
              .setEndpoint("table")
              .setOperationOptions(
                  NexusOperationOptions.newBuilder().setScheduleToCloseTimeout(Duration.ofMinutes(2)).build())
              .build();
      return Workflow.newNexusServiceStub(Table.class, options).greet(text);
    }
  }
}
