package encryption

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// replay runs a workflow in the SDK's own machinery, on a history that is its first task.
func replay(t *testing.T, data converter.DataConverter, fn any, input *commonpb.Payload) error {
	t.Helper()
	replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{
		DataConverter: data, FailureConverter: NewFailureConverter(data),
	})
	if err != nil {
		t.Fatal(err)
	}
	replayer.RegisterWorkflowWithOptions(fn, workflow.RegisterOptions{Name: "w"})
	queue := &taskqueuepb.TaskQueue{Name: "q"}
	started := &historypb.WorkflowExecutionStartedEventAttributes{
		WorkflowType: &commonpb.WorkflowType{Name: "w"}, TaskQueue: queue,
		Input: &commonpb.Payloads{Payloads: []*commonpb.Payload{input}}, OriginalExecutionRunId: "r",
	}
	return replayer.ReplayWorkflowHistory(nil, &historypb.History{Events: []*historypb.HistoryEvent{
		{EventId: 1, EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
			Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{WorkflowExecutionStartedEventAttributes: started}},
		{EventId: 2, EventType: enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
			Attributes: &historypb.HistoryEvent_WorkflowTaskScheduledEventAttributes{
				WorkflowTaskScheduledEventAttributes: &historypb.WorkflowTaskScheduledEventAttributes{TaskQueue: queue}}},
		{EventId: 3, EventType: enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED,
			Attributes: &historypb.HistoryEvent_WorkflowTaskStartedEventAttributes{
				WorkflowTaskStartedEventAttributes: &historypb.WorkflowTaskStartedEventAttributes{ScheduledEventId: 2}}},
		{EventId: 4, EventType: enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
			Attributes: &historypb.HistoryEvent_WorkflowTaskCompletedEventAttributes{
				WorkflowTaskCompletedEventAttributes: &historypb.WorkflowTaskCompletedEventAttributes{ScheduledEventId: 2, StartedEventId: 3}}},
		{EventId: 5, EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
			Attributes: &historypb.HistoryEvent_WorkflowExecutionCompletedEventAttributes{
				WorkflowExecutionCompletedEventAttributes: &historypb.WorkflowExecutionCompletedEventAttributes{WorkflowTaskCompletedEventId: 4}}},
	}})
}

// The names of the SDK's functions in `recovering` are held by these two.
func TestInAWorkflowAnErrorOfTheCodecPanics(t *testing.T) {
	data := NewDataConverter(nil, workingCodec(t))
	foreign := encode(t, codecOf(t, "billing", Options{Keys: KeyringFile(keyringOf(t, keyringWith("new")))}), `"x"`)
	reached := false
	err := replay(t, data, func(workflow.Context, string) error { reached = true; return nil }, foreign)
	if err == nil || reached || !strings.Contains(err.Error(), string(WrongNamespace)) || !isPanic(err) {
		t.Errorf("%T %v", err, err)
	}
}

func TestTheStackSaysWhereAPanicFailsTheTask(t *testing.T) {
	var inside bool
	data := NewDataConverter(nil, workingCodec(t))
	_ = replay(t, data, func(workflow.Context, string) error { inside = panicFailsTask(); return nil }, encode(t, workingCodec(t), `"x"`))
	if !inside {
		t.Error("a workflow is not recognized: has the SDK renamed its functions?")
	}
	if panicFailsTask() {
		t.Error("a test is taken for a workflow")
	}
}

func TestThePanicOfAWorkflowStaysReadableWhenItIsTheCodecs(t *testing.T) {
	data := NewDataConverter(nil, workingCodec(t))
	for name, value := range map[string]any{"own": error(&CodecError{Reason: WrongNamespace, Message: "named"}), "user": errors.New("canary")} {
		err := replay(t, data, func(workflow.Context, string) error { panic(value) }, encode(t, workingCodec(t), `"x"`))
		for ; err != nil && !strings.Contains(typeName(err), "workflowPanicError"); err = errors.Unwrap(err) {
		}
		if err == nil {
			t.Fatalf("%s: no panic comes out of the SDK", name)
		}
		failure := NewFailureConverter(data).ErrorToFailure(err)
		if readable := strings.Contains(failure.Message, "named"); readable != (name == "own") || strings.Contains(bytesOf(t, failure), "canary") {
			t.Errorf("%s: %v", name, failure)
		}
	}
}

func isPanic(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		if strings.Contains(reflect.TypeOf(err).String(), "anicError") {
			return true
		}
	}
	return false
}

func typeName(err error) string { return reflect.TypeOf(err).String() }

func TestThePluginSetsUpClientAndWorker(t *testing.T) {
	plugin, err := NewPlugin(Options{Keys: KeyringFile(keyringOf(t, keyringWith("new")))})
	if err != nil {
		t.Fatal(err)
	}
	defer plugin.Close()
	c, err := client.NewLazyClient(client.Options{Namespace: namespace, Plugins: []client.Plugin{plugin}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if plugin.codec.namespace != namespace {
		t.Error("the namespace is not the client's")
	}
	if _, err := client.NewLazyClient(client.Options{Namespace: "billing", Plugins: []client.Plugin{plugin}}); !hasReason(err, WrongNamespace) {
		t.Errorf("a second namespace: %v", err)
	}
	own := temporal.GetDefaultFailureConverter()
	if _, err := client.NewLazyClient(client.Options{Namespace: namespace, FailureConverter: own, Plugins: []client.Plugin{plugin}}); !hasReason(err, WrongOptions) {
		t.Errorf("a failure converter that stores in the clear: %v", err)
	}
	worker.New(c, "q", worker.Options{})
	defer func() {
		if recover() == nil {
			t.Error("a worker that fails workflows at a panic is made")
		}
	}()
	worker.New(c, "q", worker.Options{WorkflowPanicPolicy: worker.FailWorkflow})
}
