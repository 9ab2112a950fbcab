package encryption

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/smithy-go"
	commonpb "go.temporal.io/api/common/v1"
)

const secretOfTest = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:codec-keyring-a1b2c3"

// fakeSecret is what Secrets Manager answers, and how often it is asked.
type fakeSecret struct {
	mutex sync.Mutex
	text  string
	err   error
	reads int
	now   time.Time
}

func (f *fakeSecret) read(context.Context, string) (string, error) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.reads++
	return f.text, f.err
}

func (f *fakeSecret) clock() time.Time { return f.now }

func (f *fakeSecret) later(by time.Duration) { f.now = f.now.Add(by) }

func refusedWith(code string) error {
	return &smithy.GenericAPIError{Code: code, Message: "canary-text-of-aws"}
}

func secretCodec(t *testing.T, namespace string) (*Codec, *fakeSecret) {
	t.Helper()
	secret := &fakeSecret{text: string(keyringWith("old")), now: time.Now()}
	codec := codecOf(t, namespace, Options{Keys: KeyringSecret{ARN: secretOfTest, Read: secret.read}})
	codec.keys.(*secretKeys).now = secret.clock
	return codec, secret
}

func sealedBy(t *testing.T, codec *Codec) *commonpb.Payload {
	t.Helper()
	sealed, err := codec.Encode([]*commonpb.Payload{plain("a secret")})
	if err != nil {
		t.Fatal(err)
	}
	return sealed[0]
}

func TestAKeyringInASecretIsTheDocumentOfAFile(t *testing.T) {
	codec, _ := secretCodec(t, namespace)
	file := codecOf(t, namespace, Options{Keys: KeyringFile(keyringOf(t, keyringWith("new")))})
	if got, err := decode(file, sealedBy(t, codec)); err != nil || got != "a secret" {
		t.Fatal(got, err)
	}
	if got, err := decode(codec, sealedBy(t, file)); err != nil || got != "a secret" {
		t.Fatal(got, err)
	}
}

func TestASecretIsReadOnceInFiveMinutesHoweverManyWait(t *testing.T) {
	codec, secret := secretCodec(t, namespace)
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() { _, _ = codec.Encode([]*commonpb.Payload{plain("x")}) })
	}
	group.Wait()
	secret.later(299 * time.Second)
	sealedBy(t, codec)
	if secret.reads != 1 {
		t.Fatalf("read %d times", secret.reads)
	}
	secret.later(2 * time.Second)
	sealedBy(t, codec)
	if secret.reads != 2 {
		t.Fatalf("read %d times", secret.reads)
	}
}

func TestAnUnknownKeyIsLookedForInTheSecretEveryThirtySeconds(t *testing.T) {
	codec, secret := secretCodec(t, namespace)
	full := secret.text
	secret.text = strings.Replace(full, `,{"name":"new","key":"ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="}`, "", 1)
	sealedBy(t, codec)
	foreign := sealedBy(t, codecOf(t, namespace, Options{Keys: KeyringFile(keyringOf(t, keyringWith("new")))}))
	secret.later(31 * time.Second)
	for range 3 {
		_, err := decode(codec, foreign)
		if !hasReason(err, UnknownKey) || !strings.Contains(err.Error(), "codec-server/new") || !strings.Contains(err.Error(), "has old") {
			t.Fatal(err)
		}
	}
	if secret.reads != 2 {
		t.Fatalf("read %d times", secret.reads)
	}
	secret.text = full
	secret.later(31 * time.Second)
	if got, err := decode(codec, foreign); err != nil || got != "a secret" {
		t.Fatal(got, err)
	}
}

func TestAKeyThatWasTakenOutOfASecretEndsWithinFiveMinutes(t *testing.T) {
	codec, secret := secretCodec(t, namespace)
	old := sealedBy(t, codec)
	secret.later(250 * time.Second)
	sealedBy(t, codec)
	secret.text = strings.Replace(string(keyringWith("new")), `{"name":"old","key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},`, "", 1)
	secret.later(51 * time.Second)
	if _, err := decode(codec, old); !hasReason(err, UnknownKey) {
		t.Fatal(err)
	}
	if got, err := decode(codec, sealedBy(t, codec)); err != nil || got != "a secret" {
		t.Fatal(got, err)
	}
}

func TestASecretThatIsReachedAndCannotBeUsedEndsWithItsTime(t *testing.T) {
	for name, end := range map[string]func(*fakeSecret){
		"deleted":  func(it *fakeSecret) { it.err = refusedWith("ResourceNotFoundException") },
		"no right": func(it *fakeSecret) { it.err = refusedWith("AccessDeniedException") },
		"a slip":   func(it *fakeSecret) { it.text = it.text[1:] },
		"bytes":    func(it *fakeSecret) { it.text = "" },
	} {
		t.Run(name, func(t *testing.T) {
			codec, secret := secretCodec(t, namespace)
			old := sealedBy(t, codec)
			end(secret)
			secret.later(299 * time.Second)
			if _, err := decode(codec, old); err != nil {
				t.Fatal(err)
			}
			secret.later(2 * time.Second)
			_, reading := decode(codec, old)
			_, writing := codec.Encode([]*commonpb.Payload{plain("x")})
			for _, err := range []error{reading, writing} {
				if !hasReason(err, KeyringUnusable) || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "AAAA") {
					t.Fatal(err)
				}
			}
			if secret.reads != 2 {
				t.Fatalf("read %d times", secret.reads)
			}
		})
	}
}

func TestASecretThatCannotBeReachedGoesOnForAnHour(t *testing.T) {
	for name, err := range map[string]error{
		"no answer": errors.New("dial tcp: canary"), "500": refusedWith("InternalServiceError"), "throttled": refusedWith("ThrottlingException"),
	} {
		t.Run(name, func(t *testing.T) {
			codec, secret := secretCodec(t, namespace)
			old := sealedBy(t, codec)
			secret.err = err
			secret.later(3800 * time.Second)
			if _, err := decode(codec, old); err != nil {
				t.Fatal(err)
			}
			sealedBy(t, codec)
			secret.later(101 * time.Second)
			_, reading := decode(codec, old)
			_, writing := codec.Encode([]*commonpb.Payload{plain("x")})
			for _, err := range []error{reading, writing} {
				if !isUnavailable(err) || strings.Contains(err.Error(), "canary") {
					t.Fatal(err)
				}
			}
			secret.err = nil
			secret.later(6 * time.Second)
			if _, err := decode(codec, old); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestASecretThatHangsIsGivenUp(t *testing.T) {
	codec := codecOf(t, namespace, Options{
		Timeout: 100 * time.Millisecond,
		Keys: KeyringSecret{ARN: secretOfTest, Read: func(ctx context.Context, _ string) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		}},
	})
	if _, err := codec.Encode([]*commonpb.Payload{plain("x")}); !isUnavailable(err) {
		t.Fatal(err)
	}
}

func TestWrongOptionsOfASecretAreToldAtOnce(t *testing.T) {
	read := func(context.Context, string) (string, error) { return "", nil }
	for _, keys := range []Keys{KeyringSecret{ARN: "codec-keyring", Read: read}, KeyringSecret{ARN: secretOfTest}} {
		if _, err := NewCodec(namespace, Options{Keys: keys}); !hasReason(err, WrongOptions) {
			t.Fatal(err)
		}
	}
}
