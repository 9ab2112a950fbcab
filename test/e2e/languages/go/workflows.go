package main

import (
	"context"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/nexus-rpc/sdk-go/nexus"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

func register(w worker.Worker) {
	for name, fn := range map[string]any{"echo": echo, "fail": fail, "collect": collect, "callNexus": callNexus} {
		w.RegisterWorkflowWithOptions(fn, workflow.RegisterOptions{Name: name})
	}
	w.RegisterActivityWithOptions(echoActivity, activity.RegisterOptions{Name: "echo"})
	w.RegisterActivityWithOptions(failActivity, activity.RegisterOptions{Name: "fail"})
	service := nexus.NewService("table")
	if err := service.Register(greet); err != nil {
		panic(err)
	}
	w.RegisterNexusService(service)
}

func quiet() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
}

func withActivities(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: 2 * time.Minute})
}

func echo(ctx workflow.Context, text string) (result string, err error) {
	err = workflow.ExecuteActivity(withActivities(ctx), "echo", text).Get(ctx, &result)
	return result, err
}

func echoActivity(_ context.Context, text string) (string, error) { return text, nil }

func fail(ctx workflow.Context, text string) error {
	err := workflow.ExecuteActivity(withActivities(ctx), "fail", text).Get(ctx, nil)
	return temporal.NewApplicationErrorWithOptions("workflow "+text, "Failed", temporal.ApplicationErrorOptions{
		Cause: err, Details: []any{text},
	})
}

func failActivity(_ context.Context, text string) error {
	return temporal.NewNonRetryableApplicationError("activity "+text, "Failed", nil, text)
}

func collect(ctx workflow.Context, count string) ([]string, error) {
	wanted, err := strconv.Atoi(count)
	if err != nil {
		return nil, err
	}
	var texts []string
	err = workflow.SetQueryHandler(ctx, "collected", func() (string, error) { return strconv.Itoa(len(texts)), nil })
	if err != nil {
		return nil, err
	}
	for len(texts) < wanted {
		var text string
		workflow.GetSignalChannel(ctx, "add").Receive(ctx, &text)
		texts = append(texts, text)
	}
	return texts, nil
}

func callNexus(ctx workflow.Context, text string) (result string, err error) {
	options := workflow.NexusOperationOptions{ScheduleToCloseTimeout: 2 * time.Minute}
	err = workflow.NewNexusClient("table", "table").ExecuteOperation(ctx, greet, text, options).Get(ctx, &result)
	return result, err
}

var greet = nexus.NewSyncOperation("greet", func(_ context.Context, text string, _ nexus.StartOperationOptions) (string, error) {
	return "greeted " + text, nil
})
