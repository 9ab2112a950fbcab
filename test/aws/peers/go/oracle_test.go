package main

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"

	"codec-server.example/aws/go/official"
	encryption "example.com/temporal-codec-server/workers/go"
	commonpb "go.temporal.io/api/common/v1"
	"google.golang.org/protobuf/proto"
)

const (
	namespace = "orders-prod.a1b2c"
	keyring   = `{"namespace":"codec-server","current":"new","keys":[{"name":"new","key":"ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="}]}`
)

// The official library and workers/go read each other: of no bytes, of one frame, and of many (it writes frames of 4 KiB).
func TestTheOfficialLibraryAndOursReadEachOther(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring.json")
	if err := os.WriteFile(path, []byte(keyring), 0o600); err != nil {
		t.Fatal(err)
	}
	ours, err := encryption.NewCodec(namespace, encryption.Options{Keys: encryption.KeyringFile(path)})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := official.LocalKey(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	for _, length := range []int{0, 1, 300, 4000, 4096, 4097, 8192, 100_000} {
		payload := &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("binary/plain")}, Data: make([]byte, length)}
		_, _ = rand.Read(payload.Data)
		payloads := []*commonpb.Payload{payload}
		theirs, err := official.New(namespace, keys, official.Committed)
		if err != nil {
			t.Fatal(err)
		}
		written, err := ours.Encode(payloads)
		if err != nil {
			t.Fatal(err)
		}
		if read, err := theirs.Decode(written); err != nil || !proto.Equal(read[0], payload) {
			t.Errorf("%d bytes: theirs of ours: %v", length, err)
		}
		for name, suite := range map[string]bool{"committed": false, "and signed": true} {
			id := official.Committed
			if suite {
				id = official.CommittedAndSigned
			}
			theirs, err := official.New(namespace, keys, id)
			if err != nil {
				t.Fatal(err)
			}
			written, err := theirs.Encode(payloads)
			if err != nil {
				t.Fatal(err)
			}
			if read, err := ours.Decode(written); err != nil || !proto.Equal(read[0], payload) {
				t.Errorf("%d bytes %s: ours of theirs: %v", length, name, err)
			}
			refusesBits(t, ours, written[0], length)
		}
	}
}

// refusesBits turns a bit in every 7th byte, and cuts there.
func refusesBits(t *testing.T, codec *encryption.Codec, payload *commonpb.Payload, length int) {
	t.Helper()
	if length > 10_000 {
		return
	}
	for at := 0; at < len(payload.Data); at += 7 {
		data := bytes.Clone(payload.Data)
		data[at] ^= 1 << (at % 8)
		for _, spoilt := range [][]byte{data, payload.Data[:at]} {
			if _, err := codec.Decode([]*commonpb.Payload{{Metadata: payload.Metadata, Data: spoilt}}); err == nil {
				t.Fatalf("%d bytes: spoilt at %d it opens", length, at)
			}
		}
	}
}
