package message

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha512"
	"testing"
)

func TestTheKeysOfAMessageAreThoseOfHKDF(t *testing.T) {
	var dataKey DataKey
	id := make([]byte, idLength)
	for range 100 {
		_, _ = rand.Read(dataKey[:])
		_, _ = rand.Read(id)
		for suite, info := range map[uint16]string{committed: "\x04\x78DERIVEKEY", signed: "\x05\x78DERIVEKEY"} {
			aead, commitment, err := derive(suite, &dataKey, id)
			if err != nil {
				t.Fatal(err)
			}
			key, err := hkdf.Key(sha512.New, dataKey[:], id, info, KeyLength)
			if err != nil {
				t.Fatal(err)
			}
			want, err := GCM(key)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(aead.Seal(nil, zeroIV, id, nil), want.Seal(nil, zeroIV, id, nil)) {
				t.Error("the key is another")
			}
			wanted, err := hkdf.Key(sha512.New, dataKey[:], id, "COMMITKEY", KeyLength)
			if err != nil || !bytes.Equal(commitment[:], wanted) {
				t.Error("the commitment is another")
			}
		}
	}
}
