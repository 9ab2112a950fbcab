// Encodes or decodes a list of payloads, from stdin to stdout, as the codec protocol's JSON:
// `go_peer official|library encode|decode NAMESPACE kms|keyring|secret ARN|FILE [signed]`. `official` is the official AWS
// Encryption SDK for Go, `library` is workers/go, which writes no signed messages.
package main

import (
	"context"
	"errors"
	"io"
	"log"
	"os"

	"codec-server.example/aws/go/official"
	encryption "example.com/temporal-codec-server/workers/go"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/encoding/protojson"
)

func main() {
	open := library
	if os.Args[1] == "official" {
		open = officialCodec
	}
	signed := len(os.Args) > 6 && os.Args[6] == "signed"
	codec, err := open(os.Args[3], os.Args[4], os.Args[5], signed)
	exitOn(err)
	input, err := io.ReadAll(os.Stdin)
	exitOn(err)
	given := &commonpb.Payloads{}
	exitOn(protojson.Unmarshal(input, given))
	do := codec.Decode
	if os.Args[2] == "encode" {
		do = codec.Encode
	}
	result, err := do(given.GetPayloads())
	exitOn(err)
	output, err := protojson.Marshal(&commonpb.Payloads{Payloads: result})
	exitOn(err)
	_, err = os.Stdout.Write(output)
	exitOn(err)
}

func library(namespace, kind, key string, signed bool) (converter.PayloadCodec, error) {
	if signed {
		return nil, errors.New("the library writes no signed messages")
	}
	var keys encryption.Keys = encryption.KMS{Write: key}
	switch kind {
	case "keyring":
		keys = encryption.KeyringFile(key)
	case "secret":
		keys = encryption.KeyringSecret{ARN: key, Read: readSecret}
	}
	return encryption.NewCodec(namespace, encryption.Options{Keys: keys})
}

// As the README of workers/go shows it.
func readSecret(ctx context.Context, arn string) (string, error) {
	settings, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return "", err
	}
	client := secretsmanager.NewFromConfig(settings)
	secret, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &arn})
	if err != nil {
		return "", err
	}
	return aws.ToString(secret.SecretString), nil
}

func officialCodec(namespace, kind, key string, signed bool) (converter.PayloadCodec, error) {
	open, suite := official.KmsKey, official.Committed
	if kind == "keyring" {
		open = official.LocalKey
	}
	if signed {
		suite = official.CommittedAndSigned
	}
	keys, err := open(context.Background(), key)
	if err != nil {
		return nil, err
	}
	return official.New(namespace, keys, suite)
}

func exitOn(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
