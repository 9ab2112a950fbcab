package main

import (
	"io"
	"net/http"
	"os"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/encoding/protojson"
)

// remoteCodec has NewRemotePayloadCodec convert payloads: proto3 JSON on standard input, the codec's answer on standard
// output.
func remoteCodec(operation, endpoint, namespace string) error {
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
