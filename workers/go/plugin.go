package encryption

import (
	"context"
	"errors"
	"sync"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/grpc"

	"example.com/temporal-codec-server/workers/go/internal/fault"
)

// Plugin sets up clients, and the workers made of them: data converter, failure converter, and the namespace of the client.
// One plugin serves one namespace; make another for a client of another.
type Plugin struct {
	*temporal.SimplePlugin
	options Options

	mutex sync.Mutex
	codec *Codec
}

var (
	_ client.Plugin = (*Plugin)(nil)
	_ worker.Plugin = (*Plugin)(nil)
)

// NewPlugin makes the plugin; give it to client.Options.Plugins, and workers made of the client have it too. An unusable
// keyring is an error of client.Dial, since the namespace is known only there.
func NewPlugin(options Options) (*Plugin, error) {
	if _, err := options.withDefaults(); err != nil {
		return nil, err
	}
	p := &Plugin{options: options}
	var err error
	p.SimplePlugin, err = temporal.NewSimplePlugin(temporal.SimplePluginOptions{
		Name:                      "temporal-codec-server.encryption",
		ConfigureClient:           p.configureClient,
		ConfigureWorker:           p.configureWorker,
		ConfigureWorkflowReplayer: p.configureReplayer,
	})
	return p, err
}

// Close erases the data keys in memory. Call it after the workers have stopped.
func (p *Plugin) Close() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.codec != nil {
		p.codec.Close()
	}
}

// codecOf is the codec of the plugin's namespace, made when it is first asked for.
func (p *Plugin) codecOf(namespace string) (*Codec, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.codec == nil {
		codec, err := NewCodec(namespace, p.options)
		if err != nil {
			return nil, err
		}
		p.codec = codec
	}
	if p.codec.namespace != namespace {
		return nil, fault.Errorf(fault.WrongNamespace, "the plugin serves a client of the namespace %q, and this client is of %q: "+
			"make a plugin for each", p.codec.namespace, namespace)
	}
	return p.codec, nil
}

// configureClient keeps a data converter of the client: the codec goes around it. A failure converter of its own is
// refused, since it would decide what is stored in the clear.
func (p *Plugin) configureClient(_ context.Context, configure client.PluginConfigureClientOptions) error {
	options := configure.ClientOptions
	if options.FailureConverter != nil {
		return fault.Errorf(fault.Options, "the client has a FailureConverter: leave it out, the plugin brings one that encrypts")
	}
	namespace := options.Namespace
	if namespace == "" {
		namespace = client.DefaultNamespace
	}
	codec, err := p.codecOf(namespace)
	if err != nil {
		return err
	}
	options.DataConverter = NewDataConverter(options.DataConverter, codec)
	options.FailureConverter = NewFailureConverter(options.DataConverter)
	options.ConnectionOptions.DialOptions = append(options.ConnectionOptions.DialOptions,
		grpc.WithChainUnaryInterceptor(lookAhead(codec)))
	return nil
}

func (p *Plugin) configureWorker(_ context.Context, configure worker.PluginConfigureWorkerOptions) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.codec == nil {
		return fault.Errorf(fault.Options, "the plugin belongs in client.Options.Plugins: the worker takes it from its client")
	}
	options := configure.WorkerOptions
	if options.WorkflowPanicPolicy == worker.FailWorkflow {
		return fault.Errorf(fault.Options, "the worker's WorkflowPanicPolicy is FailWorkflow: a key that is missing for a moment "+
			"would fail workflows for good")
	}
	converter := NewFailureConverter(NewDataConverter(nil, p.codec)).(*failureConverter)
	options.Interceptors = append(options.Interceptors, &encryptableFailures{converter: converter})
	return nil
}

// configureReplayer takes the namespace from an earlier client of the plugin.
func (p *Plugin) configureReplayer(_ context.Context, configure worker.PluginConfigureWorkflowReplayerOptions) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.codec == nil {
		return fault.Errorf(fault.Options, "the replayer does not know the namespace: make a client with the plugin first, "+
			"or set DataConverter and FailureConverter from NewCodec")
	}
	options := configure.WorkflowReplayerOptions
	options.DataConverter = NewDataConverter(options.DataConverter, p.codec)
	options.FailureConverter = NewFailureConverter(options.DataConverter)
	return nil
}

// encryptableFailures fails the workflow task when the failure that a workflow is to end with cannot be encrypted now. It
// would end with a failure that is withheld for good otherwise: the SDK converts it where no task can fail any more.
type encryptableFailures struct {
	interceptor.WorkerInterceptorBase
	converter *failureConverter
}

func (e *encryptableFailures) InterceptWorkflow(
	_ workflow.Context, next interceptor.WorkflowInboundInterceptor,
) interceptor.WorkflowInboundInterceptor {
	inbound := &encryptableFailure{converter: e.converter}
	inbound.Next = next
	return inbound
}

type encryptableFailure struct {
	interceptor.WorkflowInboundInterceptorBase
	converter *failureConverter
}

func (e *encryptableFailure) ExecuteWorkflow(ctx workflow.Context, in *interceptor.ExecuteWorkflowInput) (any, error) {
	result, err := e.Next.ExecuteWorkflow(ctx, in)
	if err == nil || workflow.IsContinueAsNewError(err) || isPanicOfWorkflow(err) {
		return result, err
	}
	data := e.converter.data.(workflow.ContextAware).WithWorkflowContext(ctx)
	inWorkflow := NewFailureConverter(data).(*failureConverter)
	if _, codecError := inWorkflow.encrypted(err); codecError != nil {
		panic(codecError)
	}
	return result, err
}

func isPanicOfWorkflow(err error) bool {
	var panicked *temporal.PanicError
	return errors.As(err, &panicked)
}
