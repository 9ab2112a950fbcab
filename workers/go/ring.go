package encryption

import (
	"crypto/rand"
	"encoding/binary"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"example.com/temporal-codec-server/workers/go/internal/fault"
	"example.com/temporal-codec-server/workers/go/internal/message"
)

const (
	wrapIV  = 12
	wrapTag = 16
	// afterName is what follows the name of the key in the provider information: tag bits, IV length, IV.
	afterName = 4 + 4 + wrapIV
)

// ringKeys are data keys under a keyring, wherever it comes from. A data key that writes ends with the keyring's key that
// wrapped it; none is kept for reading, since unwrapping is computation.
type ringKeys struct {
	context message.Context
	aad     []byte
	bounds  Cache

	batchMutex sync.Mutex
	batch      *batch
	batchOf    *keyring
}

func (k *ringKeys) write(ring *keyring, bytes int) (message.DataKey, message.Head, error) {
	k.batchMutex.Lock()
	defer k.batchMutex.Unlock()
	if k.batchOf != ring && !k.batchOf.writesLike(ring) {
		k.batch.erase()
		k.batch = nil
	}
	k.batchOf = ring
	now := time.Now()
	if k.batch == nil || !k.batch.fits(bytes, now) {
		made, err := k.newBatch(ring, now)
		if err != nil {
			return message.DataKey{}, nil, err
		}
		// The payload that asked is written even if it alone is more than a data key should write.
		made.bytes = max(made.bytes, int64(bytes))
		k.batch.erase()
		k.batch = made
	}
	return k.batch.take(bytes)
}

func (k *ringKeys) newBatch(ring *keyring, now time.Time) (*batch, error) {
	var dataKey message.DataKey
	if _, err := rand.Read(dataKey[:]); err != nil {
		return nil, err
	}
	wrapped, err := ring.wrap(&dataKey, k.aad)
	if err != nil {
		return nil, err
	}
	return newBatch(dataKey, k.context, wrapped, k.bounds, now)
}

// read unwraps the data key of a message. Where says what holds the keyring, for the error.
func (k *ringKeys) read(ring *keyring, m *message.Message, where string) (message.DataKey, error) {
	aad, err := m.Context.Serialize()
	if err != nil {
		return message.DataKey{}, err
	}
	var wanted []string
	for _, wrapped := range m.DataKeys {
		name, ok := ring.nameOf(wrapped)
		if !ok {
			wanted = append(wanted, wrapped.ProviderID)
			continue
		}
		if key, ok := ring.keys[name]; ok {
			return unwrap(key, name, wrapped, aad)
		}
		wanted = append(wanted, ring.namespace+"/"+name)
	}
	return message.DataKey{}, fault.Errorf(fault.UnknownKey, "a payload wants the key %s, and %s has %s (it writes with %s)",
		strings.Join(wanted, " or "), where, strings.Join(ring.names(), ", "), ring.current)
}

func (k *ringKeys) lookAhead([]*message.Message) {}

func (k *ringKeys) close() {
	k.batchMutex.Lock()
	defer k.batchMutex.Unlock()
	k.batch.erase()
	k.batch = nil
}

// keyring is a raw AES keyring of the AWS Encryption SDK with several keys. Specification: framework/raw-aes-keyring.md.
type keyring struct {
	namespace string
	current   string
	keys      map[string]message.DataKey
}

// writesLike tells whether another keyring has the same key for writing.
func (r *keyring) writesLike(other *keyring) bool {
	return r != nil && r.current == other.current && r.namespace == other.namespace &&
		r.keys[r.current] == other.keys[other.current]
}

// opens tells whether a key of the keyring has the name that a message wants.
func (r *keyring) opens(m *message.Message) bool {
	return slices.ContainsFunc(m.DataKeys, func(wrapped message.EncryptedDataKey) bool {
		name, ok := r.nameOf(wrapped)
		_, known := r.keys[name]
		return ok && known
	})
}

func (r *keyring) names() []string {
	names := make([]string, 0, len(r.keys))
	for name := range r.keys {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (r *keyring) wrap(dataKey *message.DataKey, aad []byte) (message.EncryptedDataKey, error) {
	key := r.keys[r.current]
	aead, err := message.GCM(key[:])
	if err != nil {
		return message.EncryptedDataKey{}, err
	}
	info := append([]byte{}, r.current...)
	info = binary.BigEndian.AppendUint32(info, wrapTag*8)
	info = binary.BigEndian.AppendUint32(info, wrapIV)
	info = append(info, make([]byte, wrapIV)...)
	iv := info[len(info)-wrapIV:]
	if _, err := rand.Read(iv); err != nil {
		return message.EncryptedDataKey{}, err
	}
	return message.EncryptedDataKey{
		ProviderID: r.namespace, ProviderInfo: info, Ciphertext: aead.Seal(nil, iv, dataKey[:], aad),
	}, nil
}

// nameOf tells which key of this keyring wrapped a data key, as its writer claims; false when it is of another keyring.
func (r *keyring) nameOf(wrapped message.EncryptedDataKey) (string, bool) {
	info := wrapped.ProviderInfo
	end := len(info) - afterName
	if wrapped.ProviderID != r.namespace || end < 0 || len(wrapped.Ciphertext) != message.KeyLength+wrapTag {
		return "", false
	}
	name := info[:end]
	if binary.BigEndian.Uint32(info[end:]) != wrapTag*8 || binary.BigEndian.Uint32(info[end+4:]) != wrapIV || !utf8.Valid(name) {
		return "", false
	}
	return string(name), true
}

func unwrap(key message.DataKey, name string, wrapped message.EncryptedDataKey, aad []byte) (dataKey message.DataKey, err error) {
	aead, err := message.GCM(key[:])
	if err != nil {
		return dataKey, err
	}
	plain, err := aead.Open(nil, wrapped.ProviderInfo[len(wrapped.ProviderInfo)-wrapIV:], wrapped.Ciphertext, aad)
	if err != nil {
		return dataKey, fault.Errorf(fault.WrongContext, "a data key wrapped by the key %s of the keyring does not authenticate", name)
	}
	defer clear(plain)
	copy(dataKey[:], plain)
	return dataKey, nil
}
