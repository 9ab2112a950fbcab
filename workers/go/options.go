// Package encryption encrypts what Temporal stores of a worker or client in Go: every payload becomes an AWS Encryption SDK
// message that is bound to its namespace, and failures are encrypted with their stack traces. The codec server and the
// workers in other languages read what it writes, and the other way round.
//
// One plugin sets it up, and takes the namespace from the client:
//
//	plugin, err := encryption.NewPlugin(encryption.Options{Keys: encryption.KeyringFile("keyring.json")})
//	c, err := client.Dial(client.Options{Namespace: "orders-prod.a1b2c", Plugins: []client.Plugin{plugin}})
//	w := worker.New(c, "orders", worker.Options{})
//
// A key that is missing, a key service that does not answer and a payload of another namespace fail the workflow task, which
// Temporal tries again; they never fail the workflow, never drop a signal and never let plaintext through.
package encryption

import (
	"time"

	"example.com/temporal-codec-server/workers/go/internal/fault"
)

// Plaintext says what becomes of payloads that are not encrypted.
type Plaintext int

const (
	// AcceptPlaintext passes them on as they are: for a namespace with histories from before the encryption.
	AcceptPlaintext Plaintext = iota
	// RefusePlaintext refuses them with PlaintextRefused: whoever can write to the namespace then also needs a key.
	RefusePlaintext
)

// Options of NewPlugin and NewCodec. Only Keys is required.
type Options struct {
	// Keys is where data keys come from: KMS, KeyringFile or KeyringSecret.
	Keys Keys
	// AlsoDecode lists further namespaces, by their full names, whose payloads are read: those at the other end of Nexus
	// operations. Default: none. Payloads are always written for the client's own namespace.
	AlsoDecode []string
	// Plaintext says what becomes of payloads that are not encrypted. Default: AcceptPlaintext.
	Plaintext Plaintext
	// Timeout bounds the wait for a call to the key service. Default 8 s, since a workflow task has 10.
	Timeout time.Duration
	// InflatedBytes bounds what decompression may produce in one call. Default 32 MiB.
	InflatedBytes int
	// Cache bounds what is kept of the data keys.
	Cache Cache
}

// Cache bounds the data keys in memory. Zero values are the defaults.
type Cache struct {
	// ReadTTL is how long a data key is kept for reading after the call that brought it: the time for which a revoked key
	// still reads. Default 5 minutes.
	ReadTTL time.Duration
	// WriteLife is how long one data key writes. It is apart from ReadTTL because it decides how many data keys, and so
	// calls, a history costs all its readers; the process holds the key anyway. Default 24 hours, and no more than that.
	WriteLife time.Duration
	// WriteMessages is how many payloads one data key writes. Default 1,000,000.
	WriteMessages int64
	// WriteBytes is how many bytes one data key writes. Default 64 GiB.
	WriteBytes int64
	// WriteGrace is how long a data key goes on writing after WriteLife while the key service cannot answer; never after it
	// has refused. Default 1 hour.
	WriteGrace time.Duration
	// MaxKeys is how many data keys are kept for reading: more than the longest history that is replayed has. Default 20,000.
	MaxKeys int
}

const (
	longestWriteLife = 24 * time.Hour
	maxLayers        = 8
)

func (o Options) withDefaults() (Options, error) {
	if o.Keys == nil {
		return o, fault.Errorf(fault.Options, "Keys is missing: give it encryption.KeyringFile(path) or encryption.KMS{Write: arn}")
	}
	if o.Plaintext != AcceptPlaintext && o.Plaintext != RefusePlaintext {
		return o, fault.Errorf(fault.Options, "Plaintext is neither AcceptPlaintext nor RefusePlaintext")
	}
	for _, namespace := range o.AlsoDecode {
		if namespace == "" {
			return o, fault.Errorf(fault.Options, "AlsoDecode holds an empty name")
		}
	}
	c := &o.Cache
	for _, each := range []error{
		orDefault("Timeout", &o.Timeout, 8*time.Second),
		orDefault("InflatedBytes", &o.InflatedBytes, 32<<20),
		orDefault("Cache.ReadTTL", &c.ReadTTL, 5*time.Minute),
		orDefault("Cache.WriteLife", &c.WriteLife, longestWriteLife),
		orDefault("Cache.WriteMessages", &c.WriteMessages, 1_000_000),
		orDefault("Cache.WriteBytes", &c.WriteBytes, 64<<30),
		orDefault("Cache.WriteGrace", &c.WriteGrace, time.Hour),
		orDefault("Cache.MaxKeys", &c.MaxKeys, 20_000),
	} {
		if each != nil {
			return o, each
		}
	}
	if c.WriteLife > longestWriteLife {
		return o, fault.Errorf(fault.Options, "Cache.WriteLife is %v, and %v is the most", c.WriteLife, longestWriteLife)
	}
	return o, nil
}

func orDefault[T int | int64 | time.Duration](name string, value *T, otherwise T) error {
	if *value < 0 {
		return fault.Errorf(fault.Options, "%s is below zero", name)
	}
	if *value == 0 {
		*value = otherwise
	}
	return nil
}
