package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	encryption "example.com/temporal-codec-server/workers/go"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

type message struct {
	From   string `json:"from"`
	Secret string `json:"secret"`
}

type answer struct {
	By       string `json:"by"`
	Received string `json:"received"`
	Stamped  string `json:"stamped"`
}

func relay(ctx workflow.Context, received message) (answer, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	result := answer{By: "Go", Received: received.From}
	err := workflow.ExecuteActivity(ctx, "stamp", received.Secret).Get(ctx, &result.Stamped)
	return result, err
}

func stamp(_ context.Context, secret string) (string, error) {
	return secret + " seen by Go", nil
}

func connect(address, namespace, keyringFile string) (client.Client, error) {
	plugin, err := encryption.NewPlugin(encryption.Options{Keys: encryption.KeyringFile(keyringFile)})
	if err != nil {
		return nil, err
	}
	return client.Dial(client.Options{
		HostPort:  address,
		Namespace: namespace,
		Plugins:   []client.Plugin{plugin},
		Logger:    log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
}

// runWorker works until whoever started it closes its input.
func runWorker(address, namespace, taskQueue, keyringFile string) error {
	temporal, err := connect(address, namespace, keyringFile)
	if err != nil {
		return err
	}
	defer temporal.Close()
	it := worker.New(temporal, taskQueue, worker.Options{})
	it.RegisterWorkflowWithOptions(relay, workflow.RegisterOptions{Name: "relay"})
	it.RegisterActivityWithOptions(stamp, activity.RegisterOptions{Name: "stamp"})
	if err := it.Start(); err != nil {
		return err
	}
	fmt.Println("ready")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func startWorkflow(address, namespace, taskQueue, keyringFile, workflowID, input string) error {
	temporal, err := connect(address, namespace, keyringFile)
	if err != nil {
		return err
	}
	defer temporal.Close()
	var sent message
	if err := json.Unmarshal([]byte(input), &sent); err != nil {
		return err
	}
	options := client.StartWorkflowOptions{ID: workflowID, TaskQueue: taskQueue}
	run, err := temporal.ExecuteWorkflow(context.Background(), options, "relay", sent)
	if err != nil {
		return err
	}
	var result answer
	if err := run.Get(context.Background(), &result); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}
