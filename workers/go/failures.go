package encryption

import (
	"errors"
	"reflect"

	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/proto"

	"example.com/temporal-codec-server/workers/go/internal/fault"
)

// NewFailureConverter converts errors so that nothing of them can be read in Temporal but their types: message, stack trace
// and details are encrypted by the data converter of NewDataConverter.
//
// An error of the codec itself stays readable; it holds no secret, and people need to see it. An error that cannot be
// encrypted now becomes a failure that says so and holds nothing else; it is never stored in the clear.
func NewFailureConverter(dataConverter converter.DataConverter) converter.FailureConverter {
	return &failureConverter{
		data: dataConverter,
		reading: temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{
			DataConverter: dataConverter, EncodeCommonAttributes: true,
		}),
		writing: temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{DataConverter: dataConverter}),
	}
}

type failureConverter struct {
	data    converter.DataConverter
	reading *temporal.DefaultFailureConverter
	// writing leaves message and stack trace as they are, for this converter to encrypt one by one.
	writing *temporal.DefaultFailureConverter
}

var _ converter.FailureConverterWithSerializationContext = (*failureConverter)(nil)

func (f *failureConverter) WithSerializationContext(context converter.SerializationContext) converter.FailureConverter {
	data := converter.WithDataConverterSerializationContext(f.data, context)
	if data == f.data {
		return f
	}
	return NewFailureConverter(data)
}

// ErrorToFailure never panics: the SDK recovers nothing where it converts failures.
func (f *failureConverter) ErrorToFailure(err error) *failurepb.Failure {
	if err == nil {
		return nil
	}
	failure, codecError := f.encrypted(err)
	if codecError != nil {
		return withheld(err, codecError)
	}
	return failure
}

// encrypted converts an error, or returns why the codec cannot.
func (f *failureConverter) encrypted(err error) (failure *failurepb.Failure, codecError error) {
	defer func() {
		// Details that cannot be encoded are a panic of the SDK's converter.
		if problem := recover(); problem != nil {
			failure, codecError = nil, problemOf(problem)
		}
	}()
	// A failure that was received is handed out again as the very same object.
	failure = proto.Clone(f.writing.ErrorToFailure(err)).(*failurepb.Failure)
	for at, node := err, failure; node != nil; node = node.Cause {
		switch {
		case isOwn(at):
			node.StackTrace = ""
		case node.EncodedAttributes == nil:
			if codecError := converter.EncodeCommonFailureAttributes(f.data, node); codecError != nil {
				return nil, codecError
			}
		}
		if at != nil {
			at = errors.Unwrap(at)
		}
	}
	return failure, nil
}

func problemOf(problem any) error {
	if err, ok := problem.(error); ok && isCodecError(err) {
		return err
	}
	return fault.Errorf(fault.Malformed, "the details of a failure cannot be serialized")
}

// isOwn recognizes an error of the codec by its type: itself, or in the SDK's error for a panic of a workflow, whose value
// is not exported.
func isOwn(err error) bool {
	if _, ok := err.(*fault.CodecError); ok {
		return true
	}
	value := reflect.ValueOf(err)
	if value.Kind() != reflect.Pointer || value.IsNil() || value.Elem().Kind() != reflect.Struct {
		return false
	}
	if value.Elem().Type().PkgPath() != "go.temporal.io/sdk/internal" || value.Elem().Type().Name() != "workflowPanicError" {
		return false
	}
	panicked := value.Elem().FieldByName("value")
	return panicked.Kind() == reflect.Interface && !panicked.IsNil() && panicked.Elem().Type() == reflect.TypeFor[*fault.CodecError]()
}

// withheld is the failure in place of one that cannot be encrypted. The type of the error and whether it is retried are
// kept, since workflows and retry policies decide by them.
func withheld(err, codecError error) *failurepb.Failure {
	info := &failurepb.ApplicationFailureInfo{Type: "Withheld"}
	var application *temporal.ApplicationError
	if errors.As(err, &application) {
		info.Type, info.NonRetryable = application.Type(), application.NonRetryable()
	}
	return &failurepb.Failure{
		Source:      "GoSDK",
		Message:     "withheld: this failure could not be encrypted (" + codecError.Error() + ")",
		FailureInfo: &failurepb.Failure_ApplicationFailureInfo{ApplicationFailureInfo: info},
	}
}

// FailureToError decrypts a failure. In a workflow, an error of the codec panics, as NewDataConverter says; elsewhere the
// error's text says why it cannot be read.
func (f *failureConverter) FailureToError(failure *failurepb.Failure) error {
	if failure == nil {
		return nil
	}
	readable := proto.Clone(failure).(*failurepb.Failure)
	for node := readable; node != nil; node = node.Cause {
		if node.EncodedAttributes == nil {
			continue
		}
		// The SDK's own converter passes over what it cannot decode, and a workflow would go on with "Encoded failure".
		var attributes any
		if err := f.data.FromPayload(node.EncodedAttributes, &attributes); err != nil && isCodecError(err) {
			if panicFailsTask() {
				panic(err)
			}
			node.Message = "Encoded failure (" + err.Error() + ")"
			node.EncodedAttributes = nil
		}
	}
	return f.reading.FailureToError(readable)
}
