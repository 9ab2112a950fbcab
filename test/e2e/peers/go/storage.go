package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	encryption "example.com/temporal-codec-server/workers/go"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"
)

// storeFromBytes is the size from which the handler stores payloads.
const storeFromBytes = 1000

// serveStorage serves the SDK's own storage-aware handler, with the codec of workers/go: below /worker/ as a team
// without a proxy runs it, below /proxy/ as one whose proxy encodes once more what workers and clients have stored.
func serveStorage(namespace, keyringFile, endpoint, bucket string) error {
	codec, err := encryption.NewCodec(namespace, encryption.Options{Keys: encryption.KeyringFile(keyringFile)})
	if err != nil {
		return err
	}
	storage := converter.ExternalStorage{
		Drivers:              []converter.StorageDriver{s3{endpoint, bucket}},
		PayloadSizeThreshold: storeFromBytes,
	}
	codecs := []converter.PayloadCodec{codec}
	worker, err := converter.NewPayloadHTTPHandler(converter.PayloadHTTPHandlerOptions{
		PreStorageCodecs: codecs,
		ExternalStorage:  storage,
	})
	if err != nil {
		return err
	}
	proxy, err := converter.NewPayloadHTTPHandler(converter.PayloadHTTPHandlerOptions{
		PreStorageCodecs:  codecs,
		PostStorageCodecs: codecs,
		ExternalStorage:   storage,
	})
	if err != nil {
		return err
	}
	handlers := http.NewServeMux()
	handlers.Handle("/worker/", worker)
	handlers.Handle("/proxy/", proxy)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	return http.Serve(listener, handlers)
}

// signature is one to moto, which serves what is private to whoever sends any.
const signature = "AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/s3/aws4_request, SignedHeaders=host, Signature=0"

// s3 is a storage driver over moto's S3. It makes and follows claims as Temporal's own driver
// does: bucket and key as they are named, and a hash that has to be that of the object.
type s3 struct{ endpoint, bucket string }

func (s3) Name() string { return "aws.s3driver" }
func (s3) Type() string { return "aws.s3driver" }

func (d s3) Store(ctx converter.StorageDriverStoreContext, payloads []*commonpb.Payload) ([]converter.StorageDriverClaim, error) {
	claims := make([]converter.StorageDriverClaim, len(payloads))
	for i, payload := range payloads {
		object, err := proto.Marshal(payload)
		if err != nil {
			return nil, err
		}
		hash := hashOf(object)
		key := "v0/d/sha256/" + hash
		if _, err := d.call(ctx.Context, http.MethodPut, d.bucket, key, object); err != nil {
			return nil, err
		}
		claims[i].ClaimData = map[string]string{
			"bucket": d.bucket, "key": key, "hash_algorithm": "sha256", "hash_value": hash,
		}
	}
	return claims, nil
}

func (d s3) Retrieve(ctx converter.StorageDriverRetrieveContext, claims []converter.StorageDriverClaim) ([]*commonpb.Payload, error) {
	payloads := make([]*commonpb.Payload, len(claims))
	for i, claim := range claims {
		data := claim.ClaimData
		for _, field := range []string{"bucket", "key", "hash_value"} {
			if data[field] == "" {
				return nil, fmt.Errorf("the claim has no %s", field)
			}
		}
		if data["hash_algorithm"] != "sha256" {
			return nil, fmt.Errorf("the hash algorithm %q is not known", data["hash_algorithm"])
		}
		object, err := d.call(ctx.Context, http.MethodGet, data["bucket"], data["key"], nil)
		if err != nil {
			return nil, err
		}
		if hashOf(object) != data["hash_value"] {
			return nil, errors.New("the object is not the one of the claim")
		}
		payloads[i] = &commonpb.Payload{}
		if err := proto.Unmarshal(object, payloads[i]); err != nil {
			return nil, err
		}
	}
	return payloads, nil
}

func (d s3) call(ctx context.Context, method, bucket, key string, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, d.endpoint+"/"+bucket+"/"+key, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", signature)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("S3 answered %s to %s %s/%s", response.Status, method, bucket, key)
	}
	return io.ReadAll(response.Body)
}

func hashOf(object []byte) string {
	hash := sha256.Sum256(object)
	return hex.EncodeToString(hash[:])
}
