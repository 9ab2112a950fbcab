package encryption

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/temporal-codec-server/workers/go/internal/message"
	commonpb "go.temporal.io/api/common/v1"
)

const namespace = "orders-prod.a1b2c"

// patience is how long a test waits that is not about time: enough for a machine that is many times slower.
const patience = 2 * time.Minute

// The number of calls, which docs/workers.md states.
func TestAThousandPayloadsCostOneCallToWriteAndOneToRead(t *testing.T) {
	fake := newFakeKMS()
	writer := codecOf(t, namespace, Options{Keys: fake.keysFor(ourARN)})
	var written []*commonpb.Payload
	for i := range 1000 {
		written = append(written, encode(t, writer, fmt.Sprint(i)))
	}
	if got := strings.Join(fake.calls, ", "); got != "GenerateDataKey "+ourARN {
		t.Errorf("to write: %s", got)
	}
	for _, payload := range written {
		mustDecode(t, writer, payload)
	}
	if fake.count("Decrypt") != 0 {
		t.Error("what was written is not in memory for reading")
	}
	reader := codecOf(t, namespace, Options{Keys: fake.keysFor(ourARN)})
	for _, payload := range written {
		mustDecode(t, reader, payload)
	}
	if n := fake.count("Decrypt"); n != 1 {
		t.Errorf("to read: %d calls", n)
	}
}

func TestAThousandDataKeysCostACallEachTheFirstTimeAndNoneTheSecond(t *testing.T) {
	fake := newFakeKMS()
	writer := codecOf(t, namespace, Options{Keys: fake.keysFor(ourARN), Cache: Cache{WriteMessages: 1}})
	var written []*commonpb.Payload
	for i := range 1000 {
		written = append(written, encode(t, writer, fmt.Sprint(i)))
	}
	reader := codecOf(t, namespace, Options{Keys: fake.keysFor(ourARN)})
	for _, want := range []int{1000, 1000} {
		for _, payload := range written {
			mustDecode(t, reader, payload)
		}
		if n := fake.count("Decrypt"); n != want {
			t.Errorf("%d calls, not %d", n, want)
		}
	}
	if n := fake.count("GenerateDataKey"); n != 1000 {
		t.Errorf("%d data keys", n)
	}
}

func TestOneCallServesAllWhoWaitForTheSameKey(t *testing.T) {
	fake := newFakeKMS()
	fake.fault = func(context.Context, string, string) error { time.Sleep(20 * time.Millisecond); return nil }
	writer := codecOf(t, namespace, Options{Keys: fake.keysFor(ourARN)})
	reader := codecOf(t, namespace, Options{Keys: fake.keysFor(ourARN)})
	payloads := make([]*commonpb.Payload, 50)
	together(50, func(i int) { payloads[i] = encode(t, writer, "x") })
	together(50, func(i int) { mustDecode(t, reader, payloads[i]) })
	if len(fake.calls) != 2 {
		t.Errorf("%d calls: %v", len(fake.calls), fake.calls)
	}
}

func TestWhatIsInMemoryWaitsForNoCallThatHangs(t *testing.T) {
	fake := newFakeKMS()
	codec := codecOf(t, namespace, Options{Keys: fake.keysFor(ourARN, otherARN), Timeout: patience})
	mine := encode(t, codec, "x")
	theirs := encode(t, codecOf(t, namespace, Options{Keys: fake.keysFor(otherARN)}), "x")
	asked, release := make(chan struct{}, 1), make(chan struct{})
	fake.setFault(func(context.Context, string, string) error {
		asked <- struct{}{}
		<-release
		return nil
	})
	var answered atomic.Int32
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			if _, err := decode(codec, theirs); err != nil {
				t.Error(err)
			}
			answered.Add(1)
		})
	}
	<-asked
	for range 100 {
		mustDecode(t, codec, mine)
		encode(t, codec, "y")
	}
	if n := answered.Load(); n != 0 {
		t.Errorf("%d were answered by a call that hangs", n)
	}
	close(release)
	wait.Wait()
}

func TestAHangingCallIsGivenUp(t *testing.T) {
	fake := newFakeKMS()
	codec := codecOf(t, namespace, Options{Keys: fake.keysFor(ourARN), Timeout: 50 * time.Millisecond})
	theirs := encode(t, codecOf(t, namespace, Options{Keys: fake.keysFor(ourARN)}), "x")
	fake.setFault(hangs)
	together(50, func(int) {
		if _, err := decode(codec, theirs); !hasReason(err, KeyUnavailable) {
			t.Errorf("it should be unavailable: %v", err)
		}
	})
}

func TestAKeyIsReadFromMemoryForItsTimeAndNoLonger(t *testing.T) {
	fake := newFakeKMS()
	codec := codecOf(t, namespace, Options{Keys: fake.keysFor(ourARN)})
	payload := encode(t, codec, "x")
	start := time.Now()
	fake.setFault(fails("AccessDeniedException"))
	at(codec, start.Add(4*time.Minute))
	mustDecode(t, codec, payload)
	at(codec, start.Add(6*time.Minute))
	if _, err := decode(codec, payload); !hasReason(err, KeyAccessDenied) {
		t.Errorf("a revoked key still reads: %v", err)
	}
	// The write key is in memory for a day, but what KMS has refused to read it does not write either.
	if _, err := codec.Encode([]*commonpb.Payload{plain("y")}); !hasReason(err, KeyAccessDenied) {
		t.Errorf("a revoked key still writes: %v", err)
	}
}

func TestAKeyWritesForADayAndThroughAPassingFaultALittleLonger(t *testing.T) {
	fake := newFakeKMS()
	codec := codecOf(t, namespace, Options{Keys: fake.keysFor(ourARN)})
	start := time.Now()
	encode(t, codec, "x")
	at(codec, start.Add(23*time.Hour))
	encode(t, codec, "x")
	if n := fake.count("GenerateDataKey"); n != 1 {
		t.Errorf("%d calls within a day", n)
	}
	fake.setFault(fails("KMSInternalException"))
	at(codec, start.Add(24*time.Hour+30*time.Minute))
	encode(t, codec, "x")
	at(codec, start.Add(25*time.Hour+time.Minute))
	if _, err := codec.Encode([]*commonpb.Payload{plain("y")}); !hasReason(err, KeyUnavailable) {
		t.Errorf("it writes for ever: %v", err)
	}
	fake.setFault(func(context.Context, string, string) error { return nil })
	at(codec, start.Add(25*time.Hour+2*time.Minute))
	encode(t, codec, "x")
	fake.setFault(fails("DisabledException"))
	at(codec, start.Add(50*time.Hour))
	if _, err := codec.Encode([]*commonpb.Payload{plain("y")}); !hasReason(err, KeyDisabled) {
		t.Errorf("a disabled key writes in its grace: %v", err)
	}
}

func TestADataKeyWritesSoManyMessagesAndBytes(t *testing.T) {
	fake := newFakeKMS()
	codec := codecOf(t, namespace, Options{Keys: fake.keysFor(ourARN), Cache: Cache{WriteMessages: 10, WriteBytes: 1000}})
	for range 20 {
		encode(t, codec, "x")
	}
	if n := fake.count("GenerateDataKey"); n != 2 {
		t.Errorf("%d calls for 20 messages", n)
	}
	for range 4 {
		encode(t, codec, strings.Repeat("x", 600))
	}
	if n := fake.count("GenerateDataKey"); n != 6 {
		t.Errorf("%d calls after four large ones", n)
	}
	encode(t, codec, strings.Repeat("x", 5000))
}

func TestTheCacheKeepsNoMoreKeysThanItMayAndTheLatestOfThem(t *testing.T) {
	fake := newFakeKMS()
	writer := codecOf(t, namespace, Options{Keys: fake.keysFor(ourARN), Cache: Cache{WriteMessages: 1}})
	reader := codecOf(t, namespace, Options{Keys: fake.keysFor(ourARN), Cache: Cache{MaxKeys: 10}})
	var written []*commonpb.Payload
	for range 20 {
		written = append(written, encode(t, writer, "x"))
		mustDecode(t, reader, written[len(written)-1])
	}
	for _, payload := range written[10:] {
		mustDecode(t, reader, payload)
	}
	if n, kept := fake.count("Decrypt"), len(reader.keys.(*dataKeyCache).entries); n != 20 || kept != 10 {
		t.Errorf("%d calls, %d keys kept", n, kept)
	}
	reader.Close()
	if kept := len(reader.keys.(*dataKeyCache).entries); kept != 0 {
		t.Errorf("%d keys kept after the end", kept)
	}
}

func TestRefusalsNameTheKeyThatWasWantedAndTheKeysThatAreThere(t *testing.T) {
	fake := newFakeKMS()
	theirs := encode(t, codecOf(t, namespace, Options{Keys: fake.keysFor(otherARN)}), "x")
	codec := codecOf(t, namespace, Options{Keys: fake.keysFor(ourARN)})
	_, err := decode(codec, theirs)
	if !hasReason(err, UnknownKey) || !strings.Contains(err.Error(), otherARN) || !strings.Contains(err.Error(), ourARN) {
		t.Error(err)
	}
	if n := fake.count("Decrypt"); n != 0 {
		t.Errorf("KMS is asked for a key that is not configured: %d calls", n)
	}
	for code, reason := range map[string]Reason{
		"AccessDeniedException": KeyAccessDenied, "DisabledException": KeyDisabled, "NotFoundException": KeyDisabled,
		"KMSInvalidStateException": KeyDisabled, "InvalidCiphertextException": WrongContext,
		"ThrottlingException": KeyUnavailable, "KMSInternalException": KeyUnavailable,
	} {
		fake.setFault(fails(code))
		reader := codecOf(t, namespace, Options{Keys: fake.keysFor(otherARN)})
		_, err := decode(reader, theirs)
		if !hasReason(err, reason) || !strings.Contains(err.Error(), code) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", code, err)
		}
	}
}

func TestAManyTimesFailedKeyIsAskedForOnce(t *testing.T) {
	fake := newFakeKMS()
	payload := encode(t, codecOf(t, namespace, Options{Keys: fake.keysFor(ourARN)}), "x")
	fake.setFault(fails("AccessDeniedException"))
	reader := codecOf(t, namespace, Options{Keys: fake.keysFor(ourARN)})
	at(reader, time.Now())
	for range 100 {
		if _, err := decode(reader, payload); err == nil {
			t.Fatal("it reads")
		}
	}
	if n := fake.count("Decrypt"); n != 1 {
		t.Errorf("%d calls", n)
	}
}

func TestAReplicaInAnotherRegionReadsForItsMultiRegionKey(t *testing.T) {
	here := "arn:aws:kms:eu-central-1:111122223333:key/mrk-0123456789abcdef0123456789abcdef"
	there := strings.Replace(here, "eu-central-1", "us-east-1", 1)
	fake := newFakeKMS()
	payload := encode(t, codecOf(t, namespace, Options{Keys: fake.keysFor(here)}), "x")
	fake.keys[there] = fake.keys[here]
	mustDecode(t, codecOf(t, namespace, Options{Keys: fake.keysFor(there)}), payload)
}

func TestLookingAheadFetchesSideBySide(t *testing.T) {
	fake := newFakeKMS()
	writer := codecOf(t, namespace, Options{Keys: fake.keysFor(ourARN), Cache: Cache{WriteMessages: 1}})
	var written []*commonpb.Payload
	for range 160 {
		written = append(written, encode(t, writer, "x"))
	}
	fake.setFault(fake.atOnce(mostAhead))
	reader := codecOf(t, namespace, Options{Keys: fake.keysFor(ourARN), Timeout: patience})
	reader.lookAhead(written)
	for _, payload := range written {
		mustDecode(t, reader, payload)
	}
	// And the one that the decoding waits for.
	if n := fake.mostAtOnce; n != mostAhead && n != mostAhead+1 {
		t.Errorf("%d calls at once", n)
	}
	if n := fake.count("Decrypt"); n != 160 {
		t.Errorf("%d calls", n)
	}
}

func TestLookingAheadStopsWhenKMSDoesNotAnswer(t *testing.T) {
	fake := newFakeKMS()
	writer := codecOf(t, namespace, Options{Keys: fake.keysFor(ourARN), Cache: Cache{WriteMessages: 1}})
	var messages []*message.Message
	for range 200 {
		m, err := message.Parse(encode(t, writer, "x").Data)
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, m)
	}
	fake.setFault(fails("KMSInternalException"))
	reader := codecOf(t, namespace, Options{Keys: fake.keysFor(ourARN)})
	reader.keys.lookAhead(messages)
	if n := fake.count("Decrypt"); n > 2*mostAhead {
		t.Errorf("%d calls", n)
	}
}

func together(n int, do func(int)) {
	var wait sync.WaitGroup
	for i := range n {
		wait.Go(func() { do(i) })
	}
	wait.Wait()
}
