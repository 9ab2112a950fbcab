// Package message reads and writes AWS Encryption SDK messages of version 2, in the two algorithm suites that commit to
// their data key. Specification: github.com/awslabs/aws-encryption-sdk-specification, data-format and
// framework/algorithm-suites.md. It is held in both directions to the official library in the module oracle.
package message

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha512"

	"example.com/temporal-codec-server/workers/go/internal/fault"
)

const (
	// KeyLength is the length of data keys, derived keys and key commitments, in bytes.
	KeyLength = 32

	idLength    = 32
	ivLength    = 12
	tagLength   = 16
	version     = 2
	committed   = 0x0478 // AES-256-GCM, HKDF-SHA-512, key commitment
	signed      = 0x0578 // the same, and an ECDSA P-384 signature
	nonFramed   = 1
	framed      = 2
	contextAt   = 3 + idLength
	usualFrame  = 4096
	finalFrame  = 0xffffffff
	maxField    = 0xffff
	maxWriting  = 1<<31 - 1 // the official Java library keeps the frame length in a signed 32-bit integer
	commitLabel = "COMMITKEY"
	deriveLabel = "DERIVEKEY"
)

// MaxDataKeys is how many encrypted data keys a message may have: each may cost its reader a call to KMS.
const MaxDataKeys = 5

// DataKey is a plaintext data key. It is an array, so that a copy is in memory of its own.
type DataKey = [KeyLength]byte

// derive makes the key and the commitment of one message: HKDF-SHA-512 with the message id as salt.
func derive(suite uint16, dataKey *DataKey, id []byte) (cipher.AEAD, []byte, error) {
	pseudorandom, err := hkdf.Extract(sha512.New, dataKey[:], id)
	if err != nil {
		return nil, nil, err
	}
	defer clear(pseudorandom)
	info := string([]byte{byte(suite >> 8), byte(suite)}) + deriveLabel
	key, err := hkdf.Expand(sha512.New, pseudorandom, info, KeyLength)
	if err != nil {
		return nil, nil, err
	}
	defer clear(key)
	commitment, err := hkdf.Expand(sha512.New, pseudorandom, commitLabel, KeyLength)
	if err != nil {
		return nil, nil, err
	}
	aead, err := GCM(key)
	return aead, commitment, err
}

// GCM is AES-GCM with a 12-byte IV and a 16-byte tag.
func GCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func malformed(format string, args ...any) error {
	return fault.Errorf(fault.Malformed, format, args...)
}

func notAuthentic(format string, args ...any) error {
	return fault.Errorf(fault.NotAuthentic, format, args...)
}
