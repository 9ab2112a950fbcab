package encryption

import (
	"context"
	"runtime"
	"strings"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/nexus-rpc/sdk-go/nexus"
)

// NewDataConverter puts the codec around a data converter (nil for the SDK's default), as NewPlugin does it:
//
//   - in a workflow, an error of the codec panics, which fails the workflow task; Temporal tries it again. Returned, it would
//     fail the workflow for good, and a signal would be dropped;
//   - in a Nexus handler, an error of the codec lets the caller try again;
//   - the wait for a key does not trip the SDK's deadlock detector.
//
// Do not give the worker the panic policy FailWorkflow: it turns the first of these into a failed workflow.
func NewDataConverter(parent converter.DataConverter, codec *Codec) converter.DataConverter {
	if parent == nil {
		parent = converter.GetDefaultDataConverter()
	}
	return workflow.DataConverterWithoutDeadlockDetection(newGuard(parent, codec))
}

// guard decides what becomes of an error of the codec, by where it is met.
type guard struct {
	converter.DataConverter // codec and parent
	parent                  converter.DataConverter
	codec                   converter.PayloadCodec
	workflow, nexus         bool
}

var (
	_ converter.DataConverterWithSerializationContext = (*guard)(nil)
	_ workflow.ContextAware                           = (*guard)(nil)
)

func newGuard(parent converter.DataConverter, codec converter.PayloadCodec) *guard {
	return &guard{DataConverter: converter.NewCodecDataConverter(parent, codec), parent: parent, codec: codec}
}

func (g *guard) ToPayload(value any) (*commonpb.Payload, error) {
	payload, err := g.DataConverter.ToPayload(value)
	if err != nil {
		// Without its payload: the SDK's converter returns the plaintext beside the error.
		return nil, g.met(err)
	}
	return payload, nil
}

func (g *guard) ToPayloads(values ...any) (*commonpb.Payloads, error) {
	payloads, err := g.DataConverter.ToPayloads(values...)
	if err != nil {
		return nil, g.met(err)
	}
	return payloads, nil
}

func (g *guard) FromPayload(payload *commonpb.Payload, value any) error {
	return g.met(g.DataConverter.FromPayload(payload, value))
}

func (g *guard) FromPayloads(payloads *commonpb.Payloads, values ...any) error {
	return g.met(g.DataConverter.FromPayloads(payloads, values...))
}

func (g *guard) met(err error) error {
	switch {
	case err == nil || !isCodecError(err):
		return err
	case g.workflow && panicFailsTask():
		panic(err)
	case g.nexus:
		return &nexus.HandlerError{
			Type:          nexus.HandlerErrorTypeUnavailable,
			Message:       err.Error(),
			RetryBehavior: nexus.HandlerErrorRetryBehaviorRetryable,
		}
	}
	return err
}

func (g *guard) WithWorkflowContext(ctx workflow.Context) converter.DataConverter {
	other := g.with(g.parent, g.codec)
	if parent, ok := g.parent.(workflow.ContextAware); ok {
		other = g.with(parent.WithWorkflowContext(ctx), g.codec)
	}
	other.workflow = true
	return other
}

func (g *guard) WithContext(ctx context.Context) converter.DataConverter {
	if parent, ok := g.parent.(workflow.ContextAware); ok {
		return g.with(parent.WithContext(ctx), g.codec)
	}
	return g
}

func (g *guard) WithSerializationContext(context converter.SerializationContext) converter.DataConverter {
	codec := g.codec
	if aware, ok := codec.(converter.PayloadCodecWithSerializationContext); ok {
		codec = aware.WithSerializationContext(context)
	}
	parent := converter.WithDataConverterSerializationContext(g.parent, context)
	_, isNexus := context.(converter.NexusSerializationContext)
	if codec == g.codec && parent == g.parent && isNexus == g.nexus {
		return g
	}
	other := g.with(parent, codec)
	other.nexus = isNexus
	return other
}

func (g *guard) with(parent converter.DataConverter, codec converter.PayloadCodec) *guard {
	other := newGuard(parent, codec)
	other.workflow, other.nexus = g.workflow, g.nexus
	return other
}

// recovering are the functions of the SDK that turn a panic below them into a failed workflow task. A test holds the names.
var recovering = []string{
	"internal.(*coroutineState).run",
	"internal.(*workflowExecutionEventHandlerImpl).ProcessEvent",
	"internal.(*workflowExecutionEventHandlerImpl).ProcessMessage",
}

// panicFailsTask tells whether a panic here fails the workflow task. The converter of a workflow is also used where the SDK
// recovers nothing, to answer a query say: a panic there would leave the task without an answer. It is asked only when the
// codec has failed.
func panicFailsTask() bool {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		frame, more := frames.Next()
		if name, ours := strings.CutPrefix(frame.Function, "go.temporal.io/sdk/"); ours {
			for _, each := range recovering {
				if name == each {
					return true
				}
			}
		}
		if !more {
			return false
		}
	}
}
