package encryption

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/zstd"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"
)

const keyringText = `{"namespace":"codec-server","current":"%","keys":[
 {"name":"old","key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},{"name":"new","key":"ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="}]}`

func keyringWith(current string) []byte { return []byte(strings.Replace(keyringText, "%", current, 1)) }

func deflated(t testing.TB, encoding string, payload *commonpb.Payload) *commonpb.Payload {
	t.Helper()
	plain, err := proto.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	switch encoding {
	case "binary/zlib":
		w := zlib.NewWriter(&out)
		_, _ = w.Write(plain)
		_ = w.Close()
	case "binary/gzip":
		w := gzip.NewWriter(&out)
		_, _ = w.Write(plain)
		_ = w.Close()
	case "binary/zstd":
		w, _ := zstd.NewWriter(&out)
		_, _ = w.Write(plain)
		_ = w.Close()
	case "binary/snappy":
		out.Write(snappy.Encode(nil, plain))
	}
	return &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte(encoding)}, Data: out.Bytes()}
}

func TestCompressionInsideIsInflatedWithinTheLimit(t *testing.T) {
	keyring := KeyringFile(keyringOf(t, keyringWith("new")))
	codec := codecOf(t, namespace, Options{Keys: keyring, Plaintext: RefusePlaintext})
	tight := codecOf(t, namespace, Options{Keys: keyring, InflatedBytes: 100_000})
	for _, encoding := range []string{"binary/zlib", "binary/gzip", "binary/zstd", "binary/snappy"} {
		text := strings.Repeat("compressible ", 10_000)
		sealed, err := codec.Encode([]*commonpb.Payload{deflated(t, encoding, plain(text))})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := decode(codec, sealed[0]); err != nil || got != text {
			t.Errorf("%s: %v", encoding, err)
		}
		if _, err := decode(tight, sealed[0]); !hasReason(err, TooLarge) {
			t.Errorf("%s past the limit: %v", encoding, err)
		}
		spoilt := deflated(t, encoding, plain(text))
		for name, data := range map[string][]byte{
			"cut": spoilt.Data[:len(spoilt.Data)-2], "empty": {}, "with a tail": append(bytes.Clone(spoilt.Data), 1, 2, 3),
		} {
			spoilt.Data = data
			sealed, _ := codec.Encode([]*commonpb.Payload{spoilt})
			if _, err := decode(codec, sealed[0]); !hasReason(err, Malformed) {
				t.Errorf("%s %s: %v", encoding, name, err)
			}
		}
	}
}

func TestTheLimitOfInflationIsForAllPayloadsOfACall(t *testing.T) {
	codec := codecOf(t, namespace, Options{Keys: KeyringFile(keyringOf(t, keyringWith("new"))), InflatedBytes: 150_000})
	one := deflated(t, "binary/zstd", plain(strings.Repeat("x", 100_000)))
	if _, err := codec.Decode([]*commonpb.Payload{one, one}); !hasReason(err, TooLarge) {
		t.Error(err)
	}
}

func TestNestingHasALimit(t *testing.T) {
	codec := codecOf(t, namespace, Options{Keys: KeyringFile(keyringOf(t, keyringWith("new")))})
	payload := plain("x")
	for layer := 1; layer <= maxLayers+1; layer++ {
		encoded, err := codec.Encode([]*commonpb.Payload{payload})
		if err != nil {
			t.Fatal(err)
		}
		payload = encoded[0]
		_, err = decode(codec, payload)
		if layer <= maxLayers && err != nil || layer > maxLayers && !hasReason(err, TooManyLayers) {
			t.Errorf("%d layers: %v", layer, err)
		}
	}
}

func TestPlaintextPassesOrIsRefusedAsTheOptionsSay(t *testing.T) {
	keyring := KeyringFile(keyringOf(t, keyringWith("new")))
	if got, err := decode(codecOf(t, namespace, Options{Keys: keyring}), plain("x")); err != nil || got != "x" {
		t.Error(err)
	}
	refusing := codecOf(t, namespace, Options{Keys: keyring, Plaintext: RefusePlaintext})
	for _, payload := range []*commonpb.Payload{plain("x"), {}, deflated(t, "binary/zlib", plain("x"))} {
		if _, err := decode(refusing, payload); !hasReason(err, PlaintextRefused) || strings.Contains(err.Error(), `"x"`) {
			t.Error(err)
		}
	}
}

func TestAnotherNamespaceIsReadOnlyWhereItIsNamed(t *testing.T) {
	keyring := KeyringFile(keyringOf(t, keyringWith("new")))
	payload := encode(t, codecOf(t, "billing", Options{Keys: keyring}), "x")
	_, err := decode(codecOf(t, namespace, Options{Keys: keyring, AlsoDecode: []string{"shipping"}}), payload)
	if !hasReason(err, WrongNamespace) {
		t.Fatal(err)
	}
	for _, name := range []string{"billing", namespace, "shipping"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("it does not name %s: %v", name, err)
		}
	}
	mustDecode(t, codecOf(t, namespace, Options{Keys: keyring, AlsoDecode: []string{"billing"}}), payload)
}

func TestTheSDKsContextIsCheckedBeforeAnythingIsWritten(t *testing.T) {
	codec := codecOf(t, namespace, Options{Keys: KeyringFile(keyringOf(t, keyringWith("new")))})
	for in, reason := range map[converter.SerializationContext]Reason{
		converter.WorkflowSerializationContext{Namespace: namespace}:           "",
		converter.WorkflowSerializationContext{Namespace: "ReplayNamespace"}:   "",
		converter.WorkflowSerializationContext{}:                               "",
		converter.NexusSerializationContext{Endpoint: "e"}:                     "",
		converter.WorkflowSerializationContext{Namespace: "orders-prd.a1b2c"}:  WrongNamespace,
		converter.ActivitySerializationContext{Namespace: "orders-prod.zzzzz"}: WrongNamespace,
	} {
		_, err := codec.WithSerializationContext(in).Encode([]*commonpb.Payload{plain("x")})
		if reason == "" && err != nil || reason != "" && !hasReason(err, reason) {
			t.Errorf("%v: %v", in, err)
		}
	}
}

func TestAllKeysOfAKeyringReadAndAChangedFileIsPickedUp(t *testing.T) {
	path := keyringOf(t, keyringWith("old"))
	onlyOld := keyringOf(t, []byte(`{"namespace":"codec-server","current":"old","keys":[{"name":"old","key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}]}`))
	older := encode(t, codecOf(t, namespace, Options{Keys: KeyringFile(path)}), "x")
	newer := encode(t, codecOf(t, namespace, Options{Keys: KeyringFile(keyringOf(t, keyringWith("new")))}), "x")
	codec := codecOf(t, namespace, Options{Keys: KeyringFile(onlyOld)})
	mustDecode(t, codec, older)
	before := encode(t, codec, "x")
	if _, err := decode(codec, newer); !hasReason(err, UnknownKey) || !strings.Contains(err.Error(), "codec-server/new") || !strings.Contains(err.Error(), "has old") {
		t.Errorf("without the new key: %v", err)
	}
	if err := os.WriteFile(onlyOld, keyringWith("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	codec.keys.(*keyringKeys).looked = time.Now().Add(-time.Minute)
	mustDecode(t, codec, newer)
	after := encode(t, codec, "x")
	if bytes.Contains(after.Data, []byte("old")) || !bytes.Contains(before.Data, []byte("old")) {
		t.Error("it does not write with the new key")
	}
	if err := os.WriteFile(onlyOld, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	codec.keys.(*keyringKeys).looked = time.Now().Add(-time.Minute)
	mustDecode(t, codec, older)
}

func TestAKeyringFileThatCannotBeUsedServesForFiveMinutes(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"broken":         func(path string) error { return os.WriteFile(path, []byte("broken"), 0o600) },
		"gone":           os.Remove,
		"open to others": func(path string) error { return os.Chmod(path, 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			path := keyringOf(t, keyringWith("new"))
			codec := codecOf(t, namespace, Options{Keys: KeyringFile(path)})
			payload := encode(t, codec, "x")
			if err := spoil(path); err != nil {
				t.Fatal(err)
			}
			keys := codec.keys.(*keyringKeys)
			keys.looked = time.Now().Add(-time.Minute)
			keys.usable = time.Now().Add(-4 * time.Minute)
			mustDecode(t, codec, payload)
			encode(t, codec, "x")
			keys.usable = time.Now().Add(-5 * time.Minute)
			if _, err := decode(codec, payload); !hasReason(err, KeyringUnusable) {
				t.Errorf("after five minutes it reads: %v", err)
			}
			if _, err := codec.Encode([]*commonpb.Payload{plain("x")}); !hasReason(err, KeyringUnusable) {
				t.Errorf("after five minutes it writes: %v", err)
			}
			_ = os.Remove(path)
			if err := os.WriteFile(path, keyringWith("new"), 0o600); err != nil {
				t.Fatal(err)
			}
			keys.looked = time.Now().Add(-time.Minute)
			mustDecode(t, codec, payload)
		})
	}
}

func TestAKeyringThatOthersCanReadOrThatIsNotOneIsRefused(t *testing.T) {
	good := keyringWith("new")
	for name, text := range map[string][]byte{
		"no JSON":        []byte("secret"),
		"short key":      bytes.Replace(good, []byte("ICEi"), nil, 1),
		"missing key":    keyringWith("absent"),
		"of KMS":         bytes.Replace(good, []byte("codec-server"), []byte("aws-kms"), 1),
		"unknown field":  bytes.Replace(good, []byte(`"current"`), []byte(`"more":1,"current"`), 1),
		"the same twice": bytes.Replace(good, []byte(`"old"`), []byte(`"new"`), 1),
	} {
		_, err := NewCodec(namespace, Options{Keys: KeyringFile(keyringOf(t, text))})
		if !hasReason(err, KeyringUnusable) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "AAAA") {
			t.Errorf("%s: %v", name, err)
		}
	}
	path := keyringOf(t, good)
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := NewCodec(namespace, Options{Keys: KeyringFile(path)}); !hasReason(err, KeyringUnusable) || !strings.Contains(err.Error(), "chmod 600") {
		t.Error(err)
	}
	if _, err := NewCodec(namespace, Options{Keys: KeyringFile(path + "-absent")}); !hasReason(err, KeyringUnusable) {
		t.Error(err)
	}
}

func TestWrongOptionsAreToldAtOnce(t *testing.T) {
	keyring := KeyringFile(keyringOf(t, keyringWith("new")))
	for name, options := range map[string]Options{
		"no keys":         {},
		"no ARN":          {Keys: KMS{Write: "alias/orders"}},
		"no ARN to read":  {Keys: KMS{Write: ourARN, Read: []string{"arn:aws:kms:eu-central-1:111122223333:alias/x"}}},
		"no plaintext":    {Keys: keyring, Plaintext: 7},
		"an empty name":   {Keys: keyring, AlsoDecode: []string{""}},
		"a long life":     {Keys: keyring, Cache: Cache{WriteLife: 25 * time.Hour}},
		"a negative time": {Keys: keyring, Timeout: -1},
	} {
		if _, err := NewCodec(namespace, options); !hasReason(err, WrongOptions) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewCodec("", Options{Keys: keyring}); !hasReason(err, WrongOptions) {
		t.Error(err)
	}
}

func TestAMessageWithoutANamespaceIsRefused(t *testing.T) {
	codec := codecOf(t, namespace, Options{Keys: KeyringFile(keyringOf(t, keyringWith("new")))})
	codec.keys.(*keyringKeys).context = nil
	codec.keys.(*keyringKeys).aad = nil
	if _, err := decode(codec, encode(t, codec, "x")); !hasReason(err, Malformed) {
		t.Error(err)
	}
}
