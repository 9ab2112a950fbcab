package encryption

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/proto"
)

// brokenKMS is a codec whose write key is not to be had.
func brokenCodec(t testing.TB) *Codec {
	t.Helper()
	fake := newFakeKMS()
	fake.fault = fails("KMSInternalException")
	return codecOf(t, namespace, Options{Keys: fake.keysFor(ourARN)})
}

func workingCodec(t testing.TB) *Codec {
	t.Helper()
	return codecOf(t, namespace, Options{Keys: KeyringFile(keyringOf(t, keyringWith("new")))})
}

func bytesOf(t testing.TB, failure *failurepb.Failure) string {
	t.Helper()
	out, err := proto.Marshal(failure)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestAFailureIsEncryptedWithItsDetailsAndCauses(t *testing.T) {
	data := NewDataConverter(nil, workingCodec(t))
	failures := NewFailureConverter(data)
	cause := temporal.NewNonRetryableApplicationError("canary cause", "Inner", nil, "canary detail")
	failure := failures.ErrorToFailure(temporal.NewApplicationErrorWithCause("canary message", "Outer", cause))
	if stored := bytesOf(t, failure); strings.Contains(stored, "canary") {
		t.Fatalf("it can be read: %q", stored)
	}
	if failure.GetApplicationFailureInfo().GetType() != "Outer" || failure.Cause.GetApplicationFailureInfo().GetType() != "Inner" {
		t.Error("the types are gone, by which workflows decide")
	}
	err := failures.FailureToError(failure)
	var detail string
	var inner *temporal.ApplicationError
	if !strings.Contains(err.Error(), "canary message") || !errors.As(errors.Unwrap(err), &inner) ||
		inner.Details(&detail) != nil || detail != "canary detail" {
		t.Errorf("it does not come back: %v", err)
	}
	if again := failures.ErrorToFailure(err); !proto.Equal(again, failure) {
		t.Error("what came back is stored as something else")
	}
}

func TestAFailureThatCameInTheClearLeavesEncrypted(t *testing.T) {
	failures := NewFailureConverter(NewDataConverter(nil, workingCodec(t)))
	plain := &failurepb.Failure{Message: "canary message", StackTrace: "canary trace",
		FailureInfo: &failurepb.Failure_ApplicationFailureInfo{ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{Type: "T"}}}
	if stored := bytesOf(t, failures.ErrorToFailure(failures.FailureToError(plain))); strings.Contains(stored, "canary") {
		t.Errorf("it can be read: %q", stored)
	}
}

func TestAnErrorOfTheCodecStaysReadableAndTheTextAroundItDoesNot(t *testing.T) {
	failures := NewFailureConverter(NewDataConverter(nil, workingCodec(t)))
	_, codecError := brokenCodec(t).Encode(nil)
	if codecError != nil {
		t.Fatal("nothing to encode fails")
	}
	_, err := decode(workingCodec(t), encode(t, codecOf(t, "billing", Options{Keys: KeyringFile(keyringOf(t, keyringWith("old")))}), "x"))
	failure := failures.ErrorToFailure(fmt.Errorf("canary of the workflow: %w", err))
	stored := bytesOf(t, failure)
	if strings.Contains(stored, "canary") || failure.Cause.Message != err.Error() || failure.Cause.StackTrace != "" {
		t.Errorf("%q", stored)
	}
}

func TestAFailureThatCannotBeEncryptedIsWithheld(t *testing.T) {
	failures := NewFailureConverter(NewDataConverter(nil, brokenCodec(t)))
	for _, err := range []error{
		errors.New("canary"),
		temporal.NewNonRetryableApplicationError("canary", "Refused", nil, "canary detail"),
		temporal.NewCanceledError("canary detail"),
	} {
		failure := failures.ErrorToFailure(err)
		if strings.Contains(bytesOf(t, failure), "canary") || !strings.HasPrefix(failure.Message, "withheld: ") {
			t.Errorf("%v: %v", err, failure)
		}
		if !strings.Contains(failure.Message, string(KeyUnavailable)) {
			t.Errorf("it does not say why: %s", failure.Message)
		}
	}
	info := failures.ErrorToFailure(temporal.NewNonRetryableApplicationError("x", "Refused", nil)).GetApplicationFailureInfo()
	if info.Type != "Refused" || !info.NonRetryable {
		t.Error("type and retry are lost")
	}
}

func TestAFailureThatCannotBeReadSaysWhy(t *testing.T) {
	writing := NewFailureConverter(NewDataConverter(nil, codecOf(t, "billing", Options{Keys: KeyringFile(keyringOf(t, keyringWith("new")))})))
	failure := writing.ErrorToFailure(errors.New("canary"))
	err := NewFailureConverter(NewDataConverter(nil, workingCodec(t))).FailureToError(failure)
	if !strings.Contains(err.Error(), string(WrongNamespace)) {
		t.Error(err)
	}
}

func TestOutsideOfAWorkflowNothingPanics(t *testing.T) {
	data := NewDataConverter(nil, brokenCodec(t))
	if _, err := data.ToPayload("canary"); !hasReason(err, KeyUnavailable) {
		t.Error(err)
	}
	if payloads, err := data.ToPayloads("canary"); !hasReason(err, KeyUnavailable) || payloads != nil {
		t.Errorf("plaintext beside the error: %v, %v", payloads, err)
	}
	inActivity := data.(interface {
		WithContext(context.Context) converter.DataConverter
	}).WithContext(context.Background())
	if _, err := inActivity.ToPayload("canary"); !hasReason(err, KeyUnavailable) {
		t.Error(err)
	}
	if data.ToString(encode(t, workingCodec(t), "x")) == "x" {
		t.Error("it reads without a key")
	}
}

func TestAnErrorInANexusHandlerLetsTheCallerTryAgain(t *testing.T) {
	data := converter.WithDataConverterSerializationContext(NewDataConverter(nil, brokenCodec(t)), converter.NexusSerializationContext{})
	_, err := data.ToPayload("canary")
	if reflect.TypeOf(err).String() != "*nexus.HandlerError" || !strings.Contains(err.Error(), string(KeyUnavailable)) {
		t.Errorf("%T %v", err, err)
	}
}
