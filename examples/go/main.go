// A worker whose inputs, results and failures are encrypted: `go run .`, against a development server.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	encryption "example.com/temporal-codec-server/workers/go"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// Greeting greets.
func Greeting(_ workflow.Context, name string) (string, error) {
	return fmt.Sprintf("Hello, %s!", name), nil
}

func main() {
	plugin, err := encryption.NewPlugin(encryption.Options{Keys: keys()})
	exitOn(err)
	c, err := client.Dial(client.Options{
		HostPort:  env("TEMPORAL_ADDRESS", client.DefaultHostPort),
		Namespace: env("TEMPORAL_NAMESPACE", client.DefaultNamespace),
		Plugins:   []client.Plugin{plugin},
	})
	exitOn(err)
	defer c.Close()
	w := worker.New(c, "greetings", worker.Options{})
	w.RegisterWorkflow(Greeting)
	exitOn(w.Start())
	defer w.Stop()
	ctx := context.Background()
	options := client.StartWorkflowOptions{ID: "greeting-go", TaskQueue: "greetings"}
	run, err := c.ExecuteWorkflow(ctx, options, Greeting, "Ada")
	exitOn(err)
	var result string
	exitOn(run.Get(ctx, &result))
	fmt.Println(result)
}

func keys() encryption.Keys {
	if arn := os.Getenv("KMS_KEY_ARN"); arn != "" {
		return encryption.KMS{Write: arn}
	}
	return encryption.KeyringFile(env("KEYRING", "../../.codec-server/keyring.json"))
}

func env(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func exitOn(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
