// A worker whose inputs and results are encrypted: `go run .`, against a development server.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"example.com/encrypting-worker/codec"
	mpl "github.com/aws/aws-cryptographic-material-providers-library/releases/go/mpl/awscryptographymaterialproviderssmithygeneratedtypes"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// Greeting greets.
func Greeting(_ workflow.Context, name string) (string, error) {
	return fmt.Sprintf("Hello, %s!", name), nil
}

func main() {
	ctx := context.Background()
	namespace := env("TEMPORAL_NAMESPACE", "default")
	keys, err := openKeys(ctx)
	exitOn(err)
	encryption, err := codec.New(namespace, keys, codec.Committed)
	exitOn(err)
	c, err := client.Dial(client.Options{
		HostPort:      env("TEMPORAL_ADDRESS", client.DefaultHostPort),
		Namespace:     namespace,
		DataConverter: converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), encryption),
	})
	exitOn(err)
	defer c.Close()
	w := worker.New(c, "greetings", worker.Options{})
	w.RegisterWorkflow(Greeting)
	exitOn(w.Start())
	defer w.Stop()
	options := client.StartWorkflowOptions{ID: "greeting-go", TaskQueue: "greetings"}
	run, err := c.ExecuteWorkflow(ctx, options, Greeting, "Ada")
	exitOn(err)
	var result string
	exitOn(run.Get(ctx, &result))
	fmt.Println(result)
}

func openKeys(ctx context.Context) (mpl.IKeyring, error) {
	if arn := os.Getenv("KMS_KEY_ARN"); arn != "" {
		return codec.KmsKey(ctx, arn)
	}
	return codec.LocalKey(ctx, env("KEYRING", "../../.codec-server/keyring.json"))
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
