package encryption

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"example.com/temporal-codec-server/workers/go/internal/message"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
	commonpb "go.temporal.io/api/common/v1"
)

const (
	ourARN   = "arn:aws:kms:eu-central-1:111122223333:key/11111111-1111-1111-1111-111111111111"
	otherARN = "arn:aws:kms:us-east-1:111122223333:key/22222222-2222-2222-2222-222222222222"
)

// fakeKMS wraps data keys with AES-GCM bound to the encryption context, counts calls, and fails as it is told.
type fakeKMS struct {
	mutex sync.Mutex
	keys  map[string][]byte
	// calls are `Operation KeyId`.
	calls []string
	// fault is asked for every call, and may wait.
	fault func(ctx context.Context, operation, arn string) error
	// underWay are the calls that are not answered yet, mostAtOnce the most there were.
	underWay, mostAtOnce int
}

func newFakeKMS() *fakeKMS {
	return &fakeKMS{keys: map[string][]byte{}, fault: func(context.Context, string, string) error { return nil }}
}

func (f *fakeKMS) keysFor(write string, read ...string) KMS {
	return KMS{Write: write, Read: read, Client: func(string) (KMSClient, error) { return f, nil }}
}

func (f *fakeKMS) count(operation string) int {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	n := 0
	for _, call := range f.calls {
		if len(call) > len(operation) && call[:len(operation)] == operation {
			n++
		}
	}
	return n
}

func (f *fakeKMS) setFault(fault func(ctx context.Context, operation, arn string) error) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.fault = fault
}

func (f *fakeKMS) key(ctx context.Context, operation, arn string) ([]byte, error) {
	f.mutex.Lock()
	f.calls = append(f.calls, operation+" "+arn)
	f.underWay++
	f.mostAtOnce = max(f.mostAtOnce, f.underWay)
	if f.keys[arn] == nil {
		f.keys[arn] = make([]byte, 32)
		_, _ = rand.Read(f.keys[arn])
	}
	key, fault := f.keys[arn], f.fault
	f.mutex.Unlock()
	defer func() {
		f.mutex.Lock()
		defer f.mutex.Unlock()
		f.underWay--
	}()
	return key, fault(ctx, operation, arn)
}

// atOnce waits until so many calls have been under way at once.
func (f *fakeKMS) atOnce(n int) func(context.Context, string, string) error {
	return func(ctx context.Context, _, _ string) error {
		for {
			f.mutex.Lock()
			most := f.mostAtOnce
			f.mutex.Unlock()
			if most >= n {
				return nil
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Millisecond):
			}
		}
	}
}

func (f *fakeKMS) GenerateDataKey(
	ctx context.Context, in *kms.GenerateDataKeyInput, _ ...func(*kms.Options),
) (*kms.GenerateDataKeyOutput, error) {
	key, err := f.key(ctx, "GenerateDataKey", *in.KeyId)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, 32)
	iv := make([]byte, 12)
	_, _ = rand.Read(plain)
	_, _ = rand.Read(iv)
	aead, _ := message.GCM(key)
	context, _ := json.Marshal(in.EncryptionContext)
	blob := aead.Seal(iv, iv, plain, context)
	return &kms.GenerateDataKeyOutput{KeyId: in.KeyId, Plaintext: plain, CiphertextBlob: blob}, nil
}

func (f *fakeKMS) Decrypt(ctx context.Context, in *kms.DecryptInput, _ ...func(*kms.Options)) (*kms.DecryptOutput, error) {
	if in.KeyId == nil {
		return nil, errors.New("a call without an explicit KeyId")
	}
	key, err := f.key(ctx, "Decrypt", *in.KeyId)
	if err != nil {
		return nil, err
	}
	aead, _ := message.GCM(key)
	context, _ := json.Marshal(in.EncryptionContext)
	plain, err := aead.Open(nil, in.CiphertextBlob[:12], in.CiphertextBlob[12:], context)
	if err != nil {
		return nil, &types.InvalidCiphertextException{}
	}
	return &kms.DecryptOutput{KeyId: in.KeyId, Plaintext: plain}, nil
}

// fails is a fault of every call.
func fails(code string) func(context.Context, string, string) error {
	return func(context.Context, string, string) error {
		return &smithy.GenericAPIError{Code: code, Message: "canary of AWS"}
	}
}

// hangs is a fault that ends only with the caller's patience.
func hangs(ctx context.Context, _, _ string) error {
	<-ctx.Done()
	return ctx.Err()
}

func plain(text string) *commonpb.Payload {
	return &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(text)}
}

func encode(t testing.TB, codec *Codec, text string) *commonpb.Payload {
	t.Helper()
	encoded, err := codec.Encode([]*commonpb.Payload{plain(text)})
	if err != nil {
		t.Fatal(err)
	}
	return encoded[0]
}

func decode(codec *Codec, payload *commonpb.Payload) (string, error) {
	decoded, err := codec.Decode([]*commonpb.Payload{payload})
	if err != nil {
		return "", err
	}
	return string(decoded[0].Data), nil
}

func mustDecode(t testing.TB, codec *Codec, payload *commonpb.Payload) {
	t.Helper()
	if _, err := decode(codec, payload); err != nil {
		t.Fatal(err)
	}
}

// at sets the clock of a codec's cache.
func at(codec *Codec, now time.Time) {
	cache := codec.keys.(*dataKeyCache)
	cache.mutex.Lock()
	defer cache.mutex.Unlock()
	cache.now = func() time.Time { return now }
}
