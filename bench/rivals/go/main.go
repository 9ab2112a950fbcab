// A codec server as a Go team would run it: the SDK's own HTTP handler around an AES-256-GCM codec
// that speaks the encryption sample's format, with the CORS answers a Web UI needs.
//
// usage: go-rival PORT   (0 for any; prints "listening PORT" once it accepts connections)
package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"
)

const (
	encoding = "binary/encrypted"
	keyID    = "test-key-id"
	// The public key of the samples.
	key = "test-key-test-key-test-key-test!"
)

type aesCodec struct{}

// Like the sample, every payload makes its own cipher.
func newAEAD() (cipher.AEAD, error) {
	block, err := aes.NewCipher([]byte(key))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func (aesCodec) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	sealed := make([]*commonpb.Payload, len(payloads))
	for i, payload := range payloads {
		plain, err := proto.Marshal(payload)
		if err != nil {
			return nil, err
		}
		aead, err := newAEAD()
		if err != nil {
			return nil, err
		}
		nonce := make([]byte, aead.NonceSize())
		if _, err := rand.Read(nonce); err != nil {
			return nil, err
		}
		sealed[i] = &commonpb.Payload{
			Metadata: map[string][]byte{
				converter.MetadataEncoding: []byte(encoding),
				"encryption-key-id":        []byte(keyID),
			},
			Data: aead.Seal(nonce, nonce, plain, nil),
		}
	}
	return sealed, nil
}

func (aesCodec) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	opened := make([]*commonpb.Payload, len(payloads))
	for i, payload := range payloads {
		if string(payload.Metadata[converter.MetadataEncoding]) != encoding {
			opened[i] = payload
			continue
		}
		aead, err := newAEAD()
		if err != nil {
			return nil, err
		}
		size := aead.NonceSize()
		if len(payload.Data) < size {
			return nil, errors.New("the ciphertext is shorter than its nonce")
		}
		plain, err := aead.Open(nil, payload.Data[:size], payload.Data[size:], nil)
		if err != nil {
			return nil, err
		}
		opened[i] = &commonpb.Payload{}
		if err := proto.Unmarshal(plain, opened[i]); err != nil {
			return nil, err
		}
	}
	return opened, nil
}

func withCORS(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Access-Control-Allow-Origin", "http://localhost:8233")
		header.Set("Access-Control-Allow-Credentials", "true")
		header.Set("Access-Control-Allow-Headers", "Authorization,Content-Type,X-Namespace")
		if r.Method == http.MethodOptions {
			return
		}
		next.ServeHTTP(w, r)
	})
}

func main() {
	port := "0"
	if len(os.Args) > 1 {
		port = os.Args[1]
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening %d\n", listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(http.Serve(listener, withCORS(converter.NewPayloadCodecHTTPHandler(aesCodec{}))))
}
