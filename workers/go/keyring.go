package encryption

import (
	"crypto/rand"
	"encoding/binary"
	"os"
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
	// keyringPause is how long what was read of the file counts as its present state.
	keyringPause = time.Second
)

type keyringFile string

// KeyringFile takes keys from a keyring file, such as the codec server's `keygen` makes: all of its keys read, and the one
// it calls current writes. A changed file is picked up within a second; while it is missing, broken or readable by others,
// the keys stay as they were. The file must belong to its owner alone (mode 600).
func KeyringFile(path string) Keys { return keyringFile(path) }

func (path keyringFile) open(options Options, context message.Context) (keySource, error) {
	aad, err := context.Serialize()
	if err != nil {
		return nil, err
	}
	ring, status, err := readKeyring(string(path))
	if err != nil {
		return nil, err
	}
	return &keyringKeys{
		path: string(path), context: context, aad: aad, bounds: options.Cache,
		ring: ring, status: status, looked: time.Now(),
	}, nil
}

// keyringKeys are data keys under a keyring: computation on this machine, so nothing here waits.
type keyringKeys struct {
	path    string
	context message.Context
	aad     []byte
	bounds  Cache

	mutex  sync.Mutex
	ring   *keyring
	status os.FileInfo
	looked time.Time
	batch  *batch
}

func (k *keyringKeys) forWriting(bytes int) (message.DataKey, message.Head, error) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	k.refresh()
	now := time.Now()
	if k.batch == nil || !k.batch.fits(bytes, now) {
		made, err := k.newBatch(now)
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

func (k *keyringKeys) newBatch(now time.Time) (*batch, error) {
	var dataKey message.DataKey
	if _, err := rand.Read(dataKey[:]); err != nil {
		return nil, err
	}
	wrapped, err := k.ring.wrap(&dataKey, k.aad)
	if err != nil {
		return nil, err
	}
	return newBatch(dataKey, k.context, wrapped, k.bounds, now)
}

func (k *keyringKeys) forReading(m *message.Message) (message.DataKey, error) {
	k.mutex.Lock()
	k.refresh()
	ring := k.ring
	k.mutex.Unlock()
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
	return message.DataKey{}, fault.Errorf(fault.UnknownKey, "a payload wants the key %s, and the keyring %s has %s (it writes with %s)",
		strings.Join(wanted, " or "), k.path, strings.Join(ring.names(), ", "), ring.current)
}

func (k *keyringKeys) lookAhead([]*message.Message) {}

func (k *keyringKeys) close() {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	k.batch.erase()
	k.batch = nil
}

// refresh reads the file again when it has changed. Called with the mutex held.
func (k *keyringKeys) refresh() {
	now := time.Now()
	if now.Sub(k.looked) < keyringPause {
		return
	}
	k.looked = now
	status, err := os.Stat(k.path)
	if err != nil || (os.SameFile(status, k.status) && status.ModTime().Equal(k.status.ModTime()) && status.Size() == k.status.Size()) {
		return
	}
	ring, status, err := readKeyring(k.path)
	if err != nil {
		return
	}
	if ring.current != k.ring.current || ring.keys[ring.current] != k.ring.keys[k.ring.current] || ring.namespace != k.ring.namespace {
		k.batch.erase()
		k.batch = nil
	}
	k.ring, k.status = ring, status
}

// keyring is a raw AES keyring of the AWS Encryption SDK with several keys. Specification: framework/raw-aes-keyring.md.
type keyring struct {
	namespace string
	current   string
	keys      map[string]message.DataKey
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
