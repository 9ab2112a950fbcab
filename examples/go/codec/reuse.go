package codec

import (
	"fmt"
	"sync"
	"time"

	mpl "github.com/aws/aws-cryptographic-material-providers-library/releases/go/mpl/awscryptographymaterialproviderssmithygeneratedtypes"
)

const (
	keyLife     = 5 * time.Minute
	mostWrites  = 10_000
	mostEntries = 1_000
)

// Reuse keeps the data keys of a keyring for five minutes or 10,000 payloads. The SDK for Go has no
// cache of its own for this yet: without it, every payload is a call to KMS. The algorithm derives a
// fresh key for every message, so a data key may write many.
func Reuse(keyring mpl.IKeyring) mpl.IKeyring {
	return &reusing{keyring: keyring, writing: map[string]*entry[mpl.EncryptionMaterials]{}, reading: map[string]*entry[[]byte]{}}
}

type entry[T any] struct {
	value   T
	expires time.Time
	uses    int
}

type reusing struct {
	keyring mpl.IKeyring
	mutex   sync.Mutex
	writing map[string]*entry[mpl.EncryptionMaterials]
	reading map[string]*entry[[]byte]
}

func (r *reusing) OnEncrypt(input mpl.OnEncryptInput) (*mpl.OnEncryptOutput, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	name := fmt.Sprintf("%q %x", input.Materials.EncryptionContext, input.Materials.AlgorithmSuite.BinaryId)
	known := r.writing[name]
	// A suite that signs puts a key of its own into the context of every message: nothing to keep.
	if known == nil || time.Now().After(known.expires) || known.uses >= mostWrites {
		output, err := r.keyring.OnEncrypt(input)
		if err != nil {
			return nil, err
		}
		known = &entry[mpl.EncryptionMaterials]{value: output.Materials, expires: time.Now().Add(keyLife)}
		keep(r.writing, name, known)
	}
	known.uses++
	materials := input.Materials
	materials.PlaintextDataKey = known.value.PlaintextDataKey
	materials.EncryptedDataKeys = known.value.EncryptedDataKeys
	return &mpl.OnEncryptOutput{Materials: materials}, nil
}

func (r *reusing) OnDecrypt(input mpl.OnDecryptInput) (*mpl.OnDecryptOutput, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	name := fmt.Sprintf("%q %q", input.EncryptedDataKeys, input.Materials.EncryptionContext)
	known := r.reading[name]
	if known == nil || time.Now().After(known.expires) {
		output, err := r.keyring.OnDecrypt(input)
		if err != nil {
			return nil, err
		}
		known = &entry[[]byte]{value: output.Materials.PlaintextDataKey, expires: time.Now().Add(keyLife)}
		keep(r.reading, name, known)
	}
	materials := input.Materials
	materials.PlaintextDataKey = known.value
	return &mpl.OnDecryptOutput{Materials: materials}, nil
}

func keep[T any](entries map[string]*entry[T], name string, one *entry[T]) {
	if len(entries) >= mostEntries {
		clear(entries)
	}
	entries[name] = one
}
