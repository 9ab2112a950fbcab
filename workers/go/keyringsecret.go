package encryption

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"time"

	"example.com/temporal-codec-server/workers/go/internal/fault"
	"example.com/temporal-codec-server/workers/go/internal/message"
	"github.com/aws/smithy-go"
)

const (
	// secretStale is how long what was read goes on after its time while the secret cannot be reached.
	secretStale = time.Hour
	// secretRefresh is the time between two readings that an unknown key causes.
	secretRefresh = 30 * time.Second
	// secretRetry is the time between two tries while the secret cannot be read.
	secretRetry = 5 * time.Second
	// secretTimeout bounds one reading.
	secretTimeout = 5 * time.Second
)

var secretARN = regexp.MustCompile(`^arn:aws[a-z0-9-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+$`)

// KeyringSecret takes keys from a keyring document in a secret of AWS Secrets Manager: all of its keys read, and the one it
// calls current writes. There is no call for a data key, and KMS no longer enforces the namespace: whoever may read the secret
// reads every namespace that it serves.
//
// What was read counts for Cache.ReadTTL, and for an hour more while Secrets Manager cannot be reached. A secret that can be
// reached and not used (deleted, no right, a slip in the document) ends with ReadTTL: somebody may have meant to revoke it.
type KeyringSecret struct {
	// ARN of the secret.
	ARN string
	// Read gives the text of the secret's current version: a call of the AWS SDK's client for Secrets Manager, which is the
	// caller's, so that nobody else has to have it. It returns that client's errors as they are: they tell a secret that is gone
	// from a service that is.
	Read func(ctx context.Context, arn string) (string, error)
}

func (s KeyringSecret) open(options Options, context message.Context) (keySource, error) {
	if !secretARN.MatchString(s.ARN) {
		return nil, fault.Errorf(fault.Options, "KeyringSecret: %q is not the ARN of a secret "+
			"(arn:aws:secretsmanager:<region>:<account>:secret:<name>)", s.ARN)
	}
	if s.Read == nil {
		return nil, fault.Errorf(fault.Options, "KeyringSecret: Read is missing")
	}
	aad, err := context.Serialize()
	if err != nil {
		return nil, err
	}
	return &secretKeys{
		ringKeys: ringKeys{context: context, aad: aad, bounds: options.Cache},
		arn:      s.ARN, ask: s.Read, ttl: options.Cache.ReadTTL, timeout: options.Timeout, now: time.Now,
	}, nil
}

// secretKeys are data keys under the keyring of a secret. The mutex is never held through a reading, and who needs one waits
// for the same.
type secretKeys struct {
	ringKeys
	arn     string
	ask     func(ctx context.Context, arn string) (string, error)
	ttl     time.Duration
	timeout time.Duration
	now     func() time.Time

	mutex   sync.Mutex
	ring    *keyring
	text    string
	since   time.Time // when the reading began that has confirmed the keyring last
	failure failure   // of the last reading, until the next may be tried
	reading *reading
}

type reading struct{ done chan struct{} }

func (k *secretKeys) forWriting(bytes int) (message.DataKey, message.Head, error) {
	ring, err := k.get(k.ttl)
	if err != nil {
		return message.DataKey{}, nil, err
	}
	return k.write(ring, bytes)
}

func (k *secretKeys) forReading(m *message.Message) (message.DataKey, error) {
	ring, err := k.get(k.ttl)
	if err != nil {
		return message.DataKey{}, err
	}
	ofKMS := func(wrapped message.EncryptedDataKey) bool { return wrapped.ProviderID == kmsProvider }
	if !ring.opens(m) && slices.ContainsFunc(m.DataKeys, func(it message.EncryptedDataKey) bool { return !ofKMS(it) }) {
		if ring, err = k.get(min(k.ttl, secretRefresh)); err != nil {
			return message.DataKey{}, err
		}
	}
	return k.read(ring, m, "the secret "+k.arn)
}

// get is the keyring, read anew when what is known was confirmed longer ago than atMost.
func (k *secretKeys) get(atMost time.Duration) (*keyring, error) {
	k.mutex.Lock()
	now := k.now()
	if k.ring != nil && now.Sub(k.since) < atMost {
		defer k.mutex.Unlock()
		return k.ring, nil
	}
	if k.reading == nil && now.Before(k.failure.until) {
		defer k.mutex.Unlock()
		return k.known(now)
	}
	call := k.reading
	if call == nil {
		call = &reading{done: make(chan struct{})}
		k.reading = call
		go k.readSecret(call, now)
	}
	k.mutex.Unlock()
	timer := time.NewTimer(k.timeout)
	defer timer.Stop()
	select {
	case <-call.done:
	case <-timer.C:
		return nil, fault.Errorf(fault.KeyUnavailable, "Secrets Manager has not answered in %v", k.timeout)
	}
	k.mutex.Lock()
	defer k.mutex.Unlock()
	return k.known(k.now())
}

// known is what was read before, for as long as it counts, or why there is none. Called with the mutex held.
func (k *secretKeys) known(now time.Time) (*keyring, error) {
	limit := k.ttl
	if isUnavailable(k.failure.err) {
		limit += secretStale
	}
	if k.ring != nil && now.Sub(k.since) < limit {
		return k.ring, nil
	}
	if k.failure.err == nil {
		return nil, fault.Errorf(fault.KeyUnavailable, "the secret %s was not read in time", k.arn)
	}
	return nil, k.failure.err
}

func (k *secretKeys) readSecret(call *reading, started time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), min(k.timeout, secretTimeout))
	defer cancel()
	text, err := k.ask(ctx, k.arn)
	var ring *keyring
	if err != nil {
		err = k.faultOf(err)
	} else if parsed, problem := parseKeyring([]byte(text)); problem != "" {
		err = fault.Errorf(fault.KeyringUnusable, "the secret %s cannot be used: %s", k.arn, problem)
	} else {
		ring = parsed
	}
	k.mutex.Lock()
	defer k.mutex.Unlock()
	k.reading = nil
	if err != nil {
		k.failure = failure{err, k.now().Add(secretRetry)}
	} else {
		if k.ring == nil || text != k.text {
			k.ring, k.text = ring, text
		}
		k.since, k.failure = started, failure{}
	}
	close(call.done)
}

// faultOf tells a secret that was reached from one that may be there in a moment. Of AWS's error only its code gets into the text.
func (k *secretKeys) faultOf(err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return fault.Errorf(fault.KeyUnavailable, "Secrets Manager cannot give the secret %s: no answer", k.arn)
	}
	code := printable(api.ErrorCode())
	var status interface{ HTTPStatusCode() int }
	passes := errors.As(err, &status) && (status.HTTPStatusCode() >= 500 || status.HTTPStatusCode() == http.StatusTooManyRequests)
	switch code {
	case "InternalServiceError", "InternalFailure", "ServiceUnavailable", "ThrottlingException", "Throttling",
		"TooManyRequestsException", "RequestLimitExceeded", "ExpiredToken", "ExpiredTokenException", "RequestExpired",
		"RequestTimeTooSkewed":
		passes = true
	}
	if passes {
		return fault.Errorf(fault.KeyUnavailable, "Secrets Manager cannot give the secret %s: %s", k.arn, code)
	}
	return fault.Errorf(fault.KeyringUnusable, "Secrets Manager refuses the secret %s: %s", k.arn, code)
}
