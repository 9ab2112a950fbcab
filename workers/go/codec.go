package encryption

import (
	"errors"
	"slices"
	"strings"

	"example.com/temporal-codec-server/workers/go/internal/fault"
	"example.com/temporal-codec-server/workers/go/internal/inflate"
	"example.com/temporal-codec-server/workers/go/internal/message"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"
)

const (
	// Encoding is the metadata `encoding` of what the codec writes.
	Encoding = "binary/aws-encryption-sdk"
	// NamespaceContextKey is the key of the encryption context that binds a message to its namespace.
	NamespaceContextKey = "temporal-namespace"

	// replayNamespace is what the SDK names as the namespace where it replays without being told one.
	replayNamespace = "ReplayNamespace"
)

// Keys are where data keys come from: KMS, KeyringFile or KeyringSecret.
type Keys interface {
	open(options Options, context message.Context) (keySource, error)
}

// keySource hands out data keys. Its methods may wait, for Options.Timeout at most, and are safe for concurrent use.
type keySource interface {
	// forWriting hands out the data key for a message of so many bytes, with the head of the message's header.
	forWriting(bytes int) (message.DataKey, message.Head, error)
	// forReading hands out the data key of a message.
	forReading(m *message.Message) (message.DataKey, error)
	// lookAhead fetches what forReading will be asked for, in the background.
	lookAhead(messages []*message.Message)
	close()
}

// Codec is a converter.PayloadCodec that binds payloads to one namespace. Most programs use NewPlugin, which puts it where
// its errors fail the workflow task and not the workflow; alone it serves programs that are neither worker nor client.
//
// It is safe for concurrent use.
type Codec struct {
	namespace string
	options   Options
	keys      keySource
	// context is the namespace that the SDK says it serializes for; empty when it does not say.
	context string
}

var (
	_ converter.PayloadCodec                         = (*Codec)(nil)
	_ converter.PayloadCodecWithSerializationContext = (*Codec)(nil)
)

// NewCodec makes the codec of a namespace, given by its full name: "orders-prod.a1b2c" on Temporal Cloud, "default" on a
// development server. Its errors are CodecErrors.
func NewCodec(namespace string, options Options) (*Codec, error) {
	if namespace == "" {
		return nil, fault.Errorf(fault.Options, "the namespace is missing: give it the full name of the client's namespace")
	}
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	keys, err := options.Keys.open(options, message.Context{NamespaceContextKey: namespace})
	if err != nil {
		return nil, err
	}
	return &Codec{namespace: namespace, options: options, keys: keys}, nil
}

// Close erases the data keys in memory. Call it when nothing is encoded or decoded any more.
func (c *Codec) Close() { c.keys.close() }

// WithSerializationContext returns the codec for one context of the SDK. A context that names another namespace than the
// codec's makes Encode fail: a misspelt namespace would decide who may read the payload.
func (c *Codec) WithSerializationContext(context converter.SerializationContext) converter.PayloadCodec {
	namespace := ""
	switch context := context.(type) {
	case converter.WorkflowSerializationContext:
		namespace = context.Namespace
	case converter.ActivitySerializationContext:
		namespace = context.Namespace
	}
	if namespace == c.context || namespace == replayNamespace {
		return c
	}
	other := *c
	other.context = namespace
	return &other
}

// Encode encrypts every payload for the codec's namespace.
func (c *Codec) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	if c.context != "" && c.context != c.namespace {
		return nil, fault.Errorf(fault.WrongNamespace, "the codec writes for the namespace %q, and the SDK works in %q",
			c.namespace, c.context)
	}
	results := make([]*commonpb.Payload, len(payloads))
	for i, payload := range payloads {
		plaintext, err := proto.Marshal(payload)
		if err != nil {
			return nil, fault.Errorf(fault.Malformed, "a payload cannot be serialized")
		}
		dataKey, head, err := c.keys.forWriting(len(plaintext))
		if err != nil {
			return nil, err
		}
		sealed, err := message.Seal(plaintext, &dataKey, head)
		clear(dataKey[:])
		if err != nil {
			return nil, err
		}
		results[i] = &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte(Encoding)}, Data: sealed}
	}
	return results, nil
}

// Decode opens every payload: an encrypted one, and compression (zstd, zlib, gzip, snappy) inside or outside of it. What is
// neither is plaintext and passes or is refused, as Options.Plaintext says.
func (c *Codec) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	results := make([]*commonpb.Payload, len(payloads))
	budget := c.options.InflatedBytes
	for i, payload := range payloads {
		var err error
		if results[i], err = c.open(payload, &budget); err != nil {
			return nil, err
		}
	}
	return results, nil
}

func (c *Codec) open(payload *commonpb.Payload, budget *int) (*commonpb.Payload, error) {
	encrypted := false
	for layer := 0; ; layer++ {
		encoding := string(payload.GetMetadata()["encoding"])
		if encoding != Encoding && !inflate.Knows(encoding) {
			break
		}
		if layer >= maxLayers {
			return nil, fault.Errorf(fault.TooManyLayers, "a payload has more than %d layers", maxLayers)
		}
		var inner []byte
		var err error
		if encoding == Encoding {
			encrypted = true
			inner, err = c.decrypt(payload.GetData())
		} else if inner, err = inflate.Open(encoding, payload.GetData(), *budget); err == nil {
			*budget -= len(inner)
		}
		if err != nil {
			return nil, err
		}
		payload = &commonpb.Payload{}
		if proto.Unmarshal(inner, payload) != nil {
			return nil, fault.Errorf(fault.Malformed, "what was inside a payload is not a payload")
		}
	}
	if !encrypted && c.options.Plaintext == RefusePlaintext {
		return nil, fault.Errorf(fault.PlaintextRefused, "a payload of the namespace %q is not encrypted", c.namespace)
	}
	return payload, nil
}

func (c *Codec) decrypt(data []byte) ([]byte, error) {
	m, err := message.Parse(data)
	if err != nil {
		return nil, err
	}
	if err := c.mayRead(m); err != nil {
		return nil, err
	}
	dataKey, err := c.keys.forReading(m)
	if err != nil {
		return nil, err
	}
	defer clear(dataKey[:])
	return m.Open(&dataKey)
}

// mayRead decides by the namespace that the message names before any key is asked for. It is the writer's claim until the
// message is open, and then it is authentic.
func (c *Codec) mayRead(m *message.Message) error {
	namespace := m.Context[NamespaceContextKey]
	switch {
	case namespace == "":
		return fault.Errorf(fault.Malformed, "the encryption context of a message has no %s", NamespaceContextKey)
	case namespace == c.namespace || slices.Contains(c.options.AlsoDecode, namespace):
		return nil
	}
	more := ""
	if len(c.options.AlsoDecode) > 0 {
		more = ", and also " + strings.Join(c.options.AlsoDecode, ", ")
	}
	return fault.Errorf(fault.WrongNamespace,
		"a payload of the namespace %q was met, and this codec reads %q%s; if it is meant to read it, name it in AlsoDecode",
		namespace, c.namespace, more)
}

// lookAhead fetches the data keys of these payloads in the background, those that may be read and are not at hand.
func (c *Codec) lookAhead(payloads []*commonpb.Payload) {
	var messages []*message.Message
	for _, payload := range payloads {
		if string(payload.GetMetadata()["encoding"]) != Encoding {
			continue
		}
		if m, err := message.Parse(payload.GetData()); err == nil && c.mayRead(m) == nil {
			messages = append(messages, m)
		}
	}
	if len(messages) > 0 {
		go c.keys.lookAhead(messages)
	}
}

func isCodecError(err error) bool {
	var codecError *fault.CodecError
	return errors.As(err, &codecError)
}
