// Encodes or decodes a list of payloads with the Go example, from stdin to stdout, as the codec
// protocol's JSON: `go_peer encode|decode NAMESPACE kms|keyring ARN|FILE [signed]`. Built from within
// examples/go, whose module it uses.
package main

import (
	"context"
	"io"
	"log"
	"os"

	"example.com/encrypting-worker/codec"
	mpl "github.com/aws/aws-cryptographic-material-providers-library/releases/go/mpl/awscryptographymaterialproviderssmithygeneratedtypes"
	commonpb "go.temporal.io/api/common/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

func main() {
	operation, namespace, kind, key := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	open := codec.LocalKey
	if kind == "kms" {
		open = codec.KmsKey
	}
	keys, err := open(context.Background(), key)
	exitOn(err)
	suite := codec.Committed
	if len(os.Args) > 5 && os.Args[5] == "signed" {
		suite = mpl.ESDKAlgorithmSuiteIdAlgAes256GcmHkdfSha512CommitKeyEcdsaP384
	}
	encryption, err := codec.New(namespace, keys, suite)
	exitOn(err)
	input, err := io.ReadAll(os.Stdin)
	exitOn(err)
	given := &commonpb.Payloads{}
	exitOn(protojson.Unmarshal(input, given))
	do := encryption.Decode
	if operation == "encode" {
		do = encryption.Encode
	}
	result, err := do(given.GetPayloads())
	exitOn(err)
	output, err := protojson.Marshal(&commonpb.Payloads{Payloads: result})
	exitOn(err)
	_, err = os.Stdout.Write(output)
	exitOn(err)
}

func exitOn(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
