package encryption

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"strings"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"
)

// sampleCodec does what the encryption sample of the Go SDK does: AES-256-GCM under one fixed key, a cipher a payload.
type sampleCodec struct{ key []byte }

func (s *sampleCodec) gcm() cipher.AEAD {
	block, err := aes.NewCipher(s.key)
	if err != nil {
		panic(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return gcm
}

func (s *sampleCodec) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	results := make([]*commonpb.Payload, len(payloads))
	for i, payload := range payloads {
		plain, err := proto.Marshal(payload)
		if err != nil {
			return nil, err
		}
		gcm := s.gcm()
		nonce := make([]byte, gcm.NonceSize())
		if _, err := rand.Read(nonce); err != nil {
			return nil, err
		}
		metadata := map[string][]byte{"encoding": []byte("binary/encrypted"), "encryption-key-id": []byte("id")}
		results[i] = &commonpb.Payload{Metadata: metadata, Data: gcm.Seal(nonce, nonce, plain, nil)}
	}
	return results, nil
}

func (s *sampleCodec) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	results := make([]*commonpb.Payload, len(payloads))
	for i, payload := range payloads {
		gcm := s.gcm()
		plain, err := gcm.Open(nil, payload.Data[:gcm.NonceSize()], payload.Data[gcm.NonceSize():], nil)
		if err != nil {
			return nil, err
		}
		results[i] = &commonpb.Payload{}
		if err := proto.Unmarshal(plain, results[i]); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// BenchmarkPayload is one payload of 300 bytes with a data key in memory; `npm run bench:workers` reads it.
func BenchmarkPayload(b *testing.B) {
	fake := newFakeKMS()
	codecs := map[string]converter.PayloadCodec{
		"library": codecOf(b, namespace, Options{Keys: fake.keysFor(ourARN)}),
		"sample":  &sampleCodec{key: make([]byte, 32)},
	}
	payloads := []*commonpb.Payload{plain(strings.Repeat("x", 300))}
	for name, codec := range codecs {
		encoded, err := codec.Encode(payloads)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("encode/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := codec.Encode(payloads); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("decode/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := codec.Decode(encoded); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCalls counts the calls to KMS for 1,000 payloads written, read and read again, under one data key and under
// 1,000 of them.
func BenchmarkCalls(b *testing.B) {
	for name, messages := range map[string]int64{"one": 0, "many": 1} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				fake := newFakeKMS()
				writer := codecOf(b, namespace, Options{Keys: fake.keysFor(ourARN), Cache: Cache{WriteMessages: messages}})
				reader := codecOf(b, namespace, Options{Keys: fake.keysFor(ourARN)})
				var written []*commonpb.Payload
				for range 1000 {
					written = append(written, encode(b, writer, "x"))
				}
				b.ReportMetric(float64(fake.count("GenerateDataKey")), "write")
				read := 0
				for _, pass := range []string{"read", "again"} {
					for _, payload := range written {
						mustDecode(b, reader, payload)
					}
					b.ReportMetric(float64(fake.count("Decrypt")-read), pass)
					read = fake.count("Decrypt")
				}
			}
		})
	}
}
