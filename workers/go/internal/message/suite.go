// Package message reads and writes AWS Encryption SDK messages of version 2, in the two algorithm suites that commit to
// their data key. Specification: github.com/awslabs/aws-encryption-sdk-specification, data-format and
// framework/algorithm-suites.md. It is held in both directions to the official library in the module oracle.
package message

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha512"

	"example.com/temporal-codec-server/workers/go/internal/fault"
)

const (
	// KeyLength is the length of data keys, derived keys and key commitments, in bytes.
	KeyLength = 32

	idLength   = 32
	ivLength   = 12
	tagLength  = 16
	version    = 2
	committed  = 0x0478 // AES-256-GCM, HKDF-SHA-512, key commitment
	signed     = 0x0578 // the same, and an ECDSA P-384 signature
	nonFramed  = 1
	framed     = 2
	contextAt  = 3 + idLength
	usualFrame = 4096
	finalFrame = 0xffffffff
	maxField   = 0xffff
	maxWriting = 1<<31 - 1       // the official Java library keeps the frame length in a signed 32-bit integer
	commitInfo = "COMMITKEY\x01" // with HKDF's counter of the first block
)

// MaxDataKeys is how many encrypted data keys a message may have: each may cost its reader a call to KMS.
const MaxDataKeys = 5

// DataKey is a plaintext data key. It is an array, so that a copy is in memory of its own.
type DataKey = [KeyLength]byte

// derive makes the key and the commitment of one message: HKDF-SHA-512 (RFC 5869) with the message id as salt. Both outputs
// need no more than the first block, so it is three HMACs; put together (RFC 2104) from whole hashes, they allocate nothing
// and take half the time of crypto/hkdf, to which a test holds them.
func derive(suite uint16, dataKey *DataKey, id []byte) (cipher.AEAD, DataKey, error) {
	var commitment, key DataKey
	pseudorandom := hmac512(id, dataKey[:])
	block := hmac512(pseudorandom[:], []byte(commitInfo))
	copy(commitment[:], block[:])
	info := [...]byte{byte(suite >> 8), byte(suite), 'D', 'E', 'R', 'I', 'V', 'E', 'K', 'E', 'Y', 1}
	block = hmac512(pseudorandom[:], info[:])
	copy(key[:], block[:])
	clear(pseudorandom[:])
	clear(block[:])
	aead, err := GCM(key[:])
	clear(key[:])
	return aead, commitment, err
}

// hmac512 is HMAC-SHA-512 of a message of at most 32 bytes under a key of at most a block.
func hmac512(key, text []byte) [sha512.Size]byte {
	var inner [sha512.BlockSize + KeyLength]byte
	var outer [sha512.BlockSize + sha512.Size]byte
	copy(inner[:], key)
	copy(outer[:], key)
	for i := range sha512.BlockSize {
		inner[i] ^= 0x36
		outer[i] ^= 0x5c
	}
	length := sha512.BlockSize + copy(inner[sha512.BlockSize:], text)
	digest := sha512.Sum512(inner[:length])
	copy(outer[sha512.BlockSize:], digest[:])
	digest = sha512.Sum512(outer[:])
	clear(inner[:])
	clear(outer[:])
	return digest
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
