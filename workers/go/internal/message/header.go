package message

import (
	"encoding/binary"
	"unicode/utf8"
)

// EncryptedDataKey is a data key wrapped by one key of one provider.
type EncryptedDataKey struct {
	ProviderID   string
	ProviderInfo []byte
	Ciphertext   []byte
}

// Message is a message whose header is parsed and of which nothing is authenticated yet: what it says is the writer's claim
// until Open succeeds. Its byte fields are parts of the message itself.
type Message struct {
	Context  Context
	DataKeys []EncryptedDataKey
	// KeyFields is the part of the header that holds context and data keys, which many messages share: a cache's key.
	KeyFields []byte

	suite       uint16
	id          []byte
	framed      bool
	frameLength int
	commitment  []byte
	header      []byte // what the header's tag authenticates
	bytes       []byte
}

// Parse reads the header of a message, without any key. It refuses other versions than 2, suites that do not commit to
// their data key, no or more than MaxDataKeys encrypted data keys, a context that is not canonical, and lengths past the end.
func Parse(bytes []byte) (*Message, error) {
	in := cursor{bytes: bytes}
	if v := in.uint8(); v != version {
		return nil, malformed("it is not an AWS Encryption SDK message of version 2")
	}
	m := &Message{bytes: bytes, suite: in.uint16(), id: in.take(idLength)}
	if m.suite != committed && m.suite != signed {
		return nil, malformed("algorithm suite 0x%04x does not commit to its data key: only 0x0478 and 0x0578 do", m.suite)
	}
	var err error
	if m.Context, err = parseContext(in.field()); err != nil {
		return nil, err
	}
	if _, has := m.Context[publicKeyName]; has != (m.suite == signed) {
		return nil, malformed("a message carries a public key exactly when its algorithm suite signs")
	}
	if err := m.parseDataKeys(&in); err != nil {
		return nil, err
	}
	if !in.short {
		m.KeyFields = bytes[contextAt:in.at:in.at]
	}
	contentType := in.uint8()
	frameLength := in.uint32()
	m.commitment = in.take(KeyLength)
	end := in.at
	in.take(tagLength)
	if in.short {
		return nil, malformed("the message header ends early")
	}
	m.header = bytes[:end:end]
	m.framed = contentType == framed
	m.frameLength = int(frameLength)
	if !m.framed && contentType != nonFramed {
		return nil, malformed("its content type is neither framed nor non-framed")
	}
	if (frameLength == 0) == m.framed {
		return nil, malformed("the frame length does not fit the content type")
	}
	return m, nil
}

func (m *Message) parseDataKeys(in *cursor) error {
	count := int(in.uint16())
	if !in.short && (count == 0 || count > MaxDataKeys) {
		return malformed("it has %d encrypted data keys, and 1 to %d are accepted", count, MaxDataKeys)
	}
	m.DataKeys = make([]EncryptedDataKey, 0, count)
	for range count {
		provider, info, ciphertext := in.field(), in.field(), in.field()
		if !utf8.Valid(provider) {
			return malformed("a key provider id is not UTF-8")
		}
		m.DataKeys = append(m.DataKeys, EncryptedDataKey{string(provider), info, ciphertext})
	}
	return nil
}

// Head is what the messages of one data key have in common: the header's context and encrypted data keys, serialized.
type Head []byte

// NewHead serializes it. It fails when a field is longer than a header can say.
func NewHead(context Context, keys ...EncryptedDataKey) (Head, error) {
	if len(keys) == 0 || len(keys) > MaxDataKeys {
		return nil, malformed("a message has 1 to %d encrypted data keys, not %d", MaxDataKeys, len(keys))
	}
	serialized, err := context.Serialize()
	if err != nil {
		return nil, err
	}
	out := appendField(nil, serialized)
	out = binary.BigEndian.AppendUint16(out, uint16(len(keys)))
	for _, key := range keys {
		if len(key.ProviderID) > maxField || len(key.ProviderInfo) > maxField || len(key.Ciphertext) > maxField {
			return nil, malformed("an encrypted data key is longer than a message header can say")
		}
		out = appendField(appendField(appendField(out, key.ProviderID), key.ProviderInfo), key.Ciphertext)
	}
	return Head(out), nil
}
