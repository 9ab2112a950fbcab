package e2e;

import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityMethod;
import io.temporal.activity.ActivityOptions;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import java.time.Duration;

/** The workflow that every language's worker has. */
@WorkflowInterface
public interface Relay {
  record Message(String from, String secret) {}

  record Answer(String by, String received, String stamped) {}

  @WorkflowMethod(name = "relay")
  Answer relay(Message message);

  @ActivityInterface
  interface Activities {
    @ActivityMethod(name = "stamp")
    String stamp(String secret);
  }

  final class Implementation implements Relay {
    private final Activities activities =
        Workflow.newActivityStub(
            Activities.class,
            ActivityOptions.newBuilder().setStartToCloseTimeout(Duration.ofMinutes(1)).build());

    @Override
    public Answer relay(Message message) {
      return new Answer("Java", message.from(), activities.stamp(message.secret()));
    }
  }
}
