// Command go-peer is the Go SDK in the end-to-end suite: its remote codec, its codec server, and a worker and client
// that encrypt by themselves.
//
//	go-peer encode|decode ENDPOINT NAMESPACE
//	go-peer serve
//	go-peer storage NAMESPACE KEYRING S3_ENDPOINT BUCKET
//	go-peer worker ADDRESS NAMESPACE TASK_QUEUE KEYRING
//	go-peer start ADDRESS NAMESPACE TASK_QUEUE KEYRING WORKFLOW_ID INPUT_JSON
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 3 && (args[0] == "encode" || args[0] == "decode"):
		return remoteCodec(args[0], args[1], args[2])
	case len(args) == 1 && args[0] == "serve":
		return serveCodec()
	case len(args) == 5 && args[0] == "storage":
		return serveStorage(args[1], args[2], args[3], args[4])
	case len(args) == 5 && args[0] == "worker":
		return runWorker(args[1], args[2], args[3], args[4])
	case len(args) == 7 && args[0] == "start":
		return startWorkflow(args[1], args[2], args[3], args[4], args[5], args[6])
	}
	return fmt.Errorf("unexpected arguments: %q", args)
}
