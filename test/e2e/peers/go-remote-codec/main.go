// Command go-remote-codec runs the Go SDK's NewRemotePayloadCodec as a program: payloads as proto3 JSON on standard
// input, the codec's answer on standard output.
//
//	go-remote-codec encode|decode ENDPOINT NAMESPACE
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/encoding/protojson"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("expected an operation, an endpoint and a namespace")
	}
	operation, endpoint, namespace := args[0], args[1], args[2]
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	var payloads commonpb.Payloads
	if err := protojson.Unmarshal(text, &payloads); err != nil {
		return err
	}
	codec := converter.NewRemotePayloadCodec(converter.RemotePayloadCodecOptions{
		Endpoint: endpoint,
		ModifyRequest: func(request *http.Request) error {
			request.Header.Set("X-Namespace", namespace)
			return nil
		},
	})
	convert := codec.Decode
	if operation == "encode" {
		convert = codec.Encode
	}
	if payloads.Payloads, err = convert(payloads.Payloads); err != nil {
		return err
	}
	answer, err := protojson.Marshal(&payloads)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(answer)
	return err
}
