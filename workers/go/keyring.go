package encryption

import (
	"os"
	"sync"
	"time"

	"example.com/temporal-codec-server/workers/go/internal/message"
)

// keyringPause is how long what was read of the file counts as its present state.
const keyringPause = time.Second

// keyringKept is how long what a file held counts while it cannot be used: somebody may have wanted to take a key out of it.
const keyringKept = 5 * time.Minute

type keyringFile string

// KeyringFile takes keys from a keyring file, such as the codec server's `keygen` makes: all of its keys read, and the one
// it calls current writes. A changed file is picked up within a second; while it is missing, broken or readable by others,
// the keys stay as they were for five minutes, and then nothing is read or written. The file must belong to its owner alone (mode 600).
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
		path:     string(path), ring: ring, status: status, looked: time.Now(), usable: time.Now(),
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
	// usable is when the file was last in order, unusable why it is not now.
	usable   time.Time
	unusable error
}

func (k *keyringKeys) forWriting(bytes int) (message.DataKey, message.Head, error) {
	ring, err := k.current()
	if err != nil {
		return message.DataKey{}, nil, err
	}
	return k.write(ring, bytes)
}

func (k *keyringKeys) forReading(m *message.Message) (message.DataKey, error) {
	ring, err := k.current()
	if err != nil {
		return message.DataKey{}, err
	}
	return k.read(ring, m, "the keyring "+k.path)
}

// current is the keyring as the file has it, or what is wrong with the file once that lasts.
func (k *keyringKeys) current() (*keyring, error) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	now := time.Now()
	if now.Sub(k.looked) >= keyringPause {
		k.looked = now
		k.unusable = k.look()
	}
	if k.unusable == nil {
		k.usable = now
	} else if now.Sub(k.usable) >= keyringKept {
		return nil, k.unusable
	}
	return k.ring, nil
}

// look reads the file again when it has changed. Called with the mutex held.
func (k *keyringKeys) look() error {
	status, err := os.Stat(k.path)
	if err == nil && k.unusable == nil && k.isSame(status) {
		return nil
	}
	ring, status, err := readKeyring(k.path)
	if err != nil {
		return err
	}
	k.ring, k.status = ring, status
	return nil
}

func (k *keyringKeys) isSame(status os.FileInfo) bool {
	return os.SameFile(status, k.status) && status.ModTime().Equal(k.status.ModTime()) &&
		status.Size() == k.status.Size() && status.Mode() == k.status.Mode()
}
