package encryption

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// vectors are the messages that the project has frozen; the other languages' tests read the same file.
type vectors struct {
	Keyring json.RawMessage
	Good    []vector
	Bad     []vector
}

type vector struct {
	Name      string
	Namespace string
	Payload   json.RawMessage
	Expect    json.RawMessage
}

func readVectors(t testing.TB, name string) vectors {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../test/vectors", name))
	if err != nil {
		t.Fatal(err)
	}
	var all vectors
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func payloadOf(t testing.TB, text json.RawMessage) *commonpb.Payload {
	t.Helper()
	payload := &commonpb.Payload{}
	if err := protojson.Unmarshal(text, payload); err != nil {
		t.Fatal(err)
	}
	return payload
}

func keyringOf(t testing.TB, text []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keyring.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func codecOf(t testing.TB, namespace string, options Options) *Codec {
	t.Helper()
	codec, err := NewCodec(namespace, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(codec.Close)
	return codec
}

func TestTheFrozenMessagesOfTheOfficialPythonLibraryDecodeForEver(t *testing.T) {
	all := readVectors(t, "aws-encryption-sdk-python.json")
	keyring := keyringOf(t, all.Keyring)
	if len(all.Good) == 0 {
		t.Fatal("there are none")
	}
	for _, vector := range all.Good {
		t.Run(vector.Name, func(t *testing.T) {
			codec := codecOf(t, vector.Namespace, Options{Keys: KeyringFile(keyring), Plaintext: RefusePlaintext})
			payload := payloadOf(t, vector.Payload)
			decoded, err := codec.Decode([]*commonpb.Payload{payload})
			if err != nil {
				t.Fatal(err)
			}
			if !proto.Equal(decoded[0], payloadOf(t, vector.Expect)) {
				t.Error("it is another payload")
			}
			if _, err := codecOf(t, "another", Options{Keys: KeyringFile(keyring)}).Decode([]*commonpb.Payload{payload}); !hasReason(err, WrongNamespace) {
				t.Errorf("in another namespace: %v", err)
			}
		})
	}
}

func TestTheVectorsOfAllLanguagesOpenOrAreRefused(t *testing.T) {
	all := readVectors(t, "workers.json")
	keyring := keyringOf(t, all.Keyring)
	open := func(t *testing.T, vector vector) (*commonpb.Payload, error) {
		codec := codecOf(t, vector.Namespace, Options{Keys: KeyringFile(keyring), Plaintext: RefusePlaintext})
		decoded, err := codec.Decode([]*commonpb.Payload{payloadOf(t, vector.Payload)})
		if err != nil {
			return nil, err
		}
		return decoded[0], nil
	}
	for _, vector := range all.Good {
		t.Run(vector.Name, func(t *testing.T) {
			if got, err := open(t, vector); err != nil || !proto.Equal(got, payloadOf(t, vector.Expect)) {
				t.Errorf("%v %v", err, got)
			}
		})
	}
	for _, vector := range all.Bad {
		t.Run("spoilt: "+vector.Name, func(t *testing.T) {
			if _, err := open(t, vector); !isCodecError(err) {
				t.Errorf("it opens, or fails otherwise: %v", err)
			}
		})
	}
	if len(all.Good) < 10 || len(all.Bad) < 25 {
		t.Error("there are too few")
	}
}

// Truncated anywhere, and with any bit turned, a message is refused: of both suites, framed in one and in several frames.
func TestEveryTruncationAndEveryBitFlipIsRefused(t *testing.T) {
	all := readVectors(t, "aws-encryption-sdk-python.json")
	keyring := keyringOf(t, all.Keyring)
	for _, vector := range all.Good {
		payload := payloadOf(t, vector.Payload)
		if len(payload.Data) > 2000 {
			continue
		}
		t.Run(vector.Name, func(t *testing.T) {
			t.Parallel()
			codec := codecOf(t, vector.Namespace, Options{Keys: KeyringFile(keyring)})
			refused := func(what string, at int, data []byte) {
				spoilt := &commonpb.Payload{Metadata: payload.Metadata, Data: data}
				if _, err := codec.Decode([]*commonpb.Payload{spoilt}); !isCodecError(err) {
					t.Errorf("%s at %d: %v", what, at, err)
				}
			}
			for length := range payload.Data {
				refused("truncated", length, payload.Data[:length])
			}
			data := append([]byte{}, payload.Data...)
			for bit := range len(data) * 8 {
				data[bit/8] ^= 1 << (bit % 8)
				refused("a bit turned", bit, data)
				data[bit/8] ^= 1 << (bit % 8)
			}
			refused("a byte more", len(data), append(data, 0))
		})
	}
}

func TestWhatIsWrittenIsReadAndDiffersEveryTime(t *testing.T) {
	all := readVectors(t, "aws-encryption-sdk-python.json")
	codec := codecOf(t, "orders-dev.a1b2c", Options{Keys: KeyringFile(keyringOf(t, all.Keyring)), Plaintext: RefusePlaintext})
	for _, length := range []int{0, 1, 4095, 4096, 4097, 1 << 20} {
		payload := &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("binary/plain")}, Data: make([]byte, length)}
		encoded, err := codec.Encode([]*commonpb.Payload{payload, payload})
		if err != nil {
			t.Fatal(err)
		}
		if proto.Equal(encoded[0], encoded[1]) || len(encoded[0].Metadata) != 1 || string(encoded[0].Metadata["encoding"]) != Encoding {
			t.Errorf("%d bytes: two messages alike, or other metadata", length)
		}
		decoded, err := codec.Decode(encoded)
		if err != nil || !proto.Equal(decoded[0], payload) || !proto.Equal(decoded[1], payload) {
			t.Errorf("%d bytes: %v", length, err)
		}
	}
}
