package encryption

import (
	"os"
	"sync"
	"time"

	"example.com/temporal-codec-server/workers/go/internal/message"
)

// keyringPause is how long what was read of the file counts as its present state.
const keyringPause = time.Second

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
		ringKeys: ringKeys{context: context, aad: aad, bounds: options.Cache},
		path:     string(path), ring: ring, status: status, looked: time.Now(),
	}, nil
}

// keyringKeys are data keys under the keyring of a file: computation on this machine, so nothing here waits.
type keyringKeys struct {
	ringKeys
	path string

	mutex  sync.Mutex
	ring   *keyring
	status os.FileInfo
	looked time.Time
}

func (k *keyringKeys) forWriting(bytes int) (message.DataKey, message.Head, error) {
	return k.write(k.current(), bytes)
}

func (k *keyringKeys) forReading(m *message.Message) (message.DataKey, error) {
	return k.read(k.current(), m, "the keyring "+k.path)
}

// current is the keyring as the file has it.
func (k *keyringKeys) current() *keyring {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	k.refresh()
	return k.ring
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
	k.ring, k.status = ring, status
}
