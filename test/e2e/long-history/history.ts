/** A history as the server would have stored it of {@link many}, made here: to run it live would take minutes. */
import type { Payload } from '@temporalio/common';
import { temporal } from '../support/proto.ts';

type Event = Readonly<Record<string, unknown>>;

const { EventType } = temporal.api.enums.v1;
const taskQueue = { name: 'q' };
const workflowType = { name: 'many' };

/**
 * @param input the arguments of the workflow
 * @param batches for each workflow task the results of the activities that it waited for
 */
export function historyOf(input: readonly Payload[], batches: readonly (readonly Payload[])[]) {
  const events: Event[] = [];
  const add = (event: Event): number => {
    events.push({ ...event, eventId: events.length + 1, eventTime: { seconds: 1_800_000_000 + events.length } });
    return events.length;
  };
  const task = (): number => {
    const scheduledEventId = add({
      eventType: EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
      workflowTaskScheduledEventAttributes: { taskQueue, attempt: 1 },
    });
    const startedEventId = add({
      eventType: EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
      workflowTaskStartedEventAttributes: { scheduledEventId },
    });
    return add({
      eventType: EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
      workflowTaskCompletedEventAttributes: { scheduledEventId, startedEventId },
    });
  };
  add({
    eventType: EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
    workflowExecutionStartedEventAttributes: {
      workflowType,
      taskQueue,
      input: { payloads: [...input] },
      originalExecutionRunId: 'run',
      firstExecutionRunId: 'run',
      workflowTaskTimeout: { seconds: 10 },
      attempt: 1,
    },
  });
  let workflowTaskCompletedEventId = task();
  let activity = 0;
  for (const results of batches) {
    const scheduled = results.map(() =>
      add({
        eventType: EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
        activityTaskScheduledEventAttributes: {
          activityId: `${++activity}`,
          activityType: { name: 'length' },
          taskQueue,
          workflowTaskCompletedEventId,
        },
      }),
    );
    results.forEach((result, i) => {
      const scheduledEventId = scheduled[i] as number;
      const startedEventId = add({
        eventType: EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED,
        activityTaskStartedEventAttributes: { scheduledEventId, attempt: 1 },
      });
      add({
        eventType: EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
        activityTaskCompletedEventAttributes: { scheduledEventId, startedEventId, result: { payloads: [result] } },
      });
    });
    workflowTaskCompletedEventId = task();
  }
  add({
    eventType: EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
    workflowExecutionCompletedEventAttributes: { workflowTaskCompletedEventId },
  });
  return temporal.api.history.v1.History.fromObject({ events });
}
