package message

import (
	"encoding/binary"
	"slices"
	"unicode/utf8"
)

// Context is an encryption context: authenticated by the message and by KMS, and readable in both.
type Context map[string]string

const publicKeyName = "aws-crypto-public-key"

// Serialize writes a context in the one way there is: a count and the pairs in ascending order of their keys' bytes, every
// length 16 bits. An empty context is not bytes. It is the message header's form and the associated data of a keyring.
//
// It fails when a text is not UTF-8 or the whole is longer than a header can say.
func (c Context) Serialize() ([]byte, error) {
	if len(c) == 0 {
		return nil, nil
	}
	names := make([]string, 0, len(c))
	length := 2
	for name, value := range c {
		if !utf8.ValidString(name) || !utf8.ValidString(value) {
			return nil, malformed("the encryption context is not UTF-8")
		}
		names = append(names, name)
		length += 4 + len(name) + len(value)
	}
	if length > maxField {
		return nil, malformed("the encryption context takes %d bytes, and a message has room for %d", length, maxField)
	}
	slices.Sort(names)
	out := binary.BigEndian.AppendUint16(make([]byte, 0, length), uint16(len(names)))
	for _, name := range names {
		out = appendField(appendField(out, name), c[name])
	}
	return out, nil
}

func parseContext(bytes []byte) (Context, error) {
	if len(bytes) == 0 {
		return Context{}, nil
	}
	in := cursor{bytes: bytes}
	count := int(in.uint16())
	if count == 0 {
		return nil, malformed("an empty encryption context is written with bytes")
	}
	context := make(Context, 1)
	previous := ""
	for i := range count {
		name, value := string(in.field()), string(in.field())
		if in.short {
			return nil, malformed("the encryption context ends early")
		}
		if !utf8.ValidString(name) || !utf8.ValidString(value) {
			return nil, malformed("the encryption context is not UTF-8")
		}
		if i > 0 && name <= previous {
			return nil, malformed("the keys of the encryption context are not in ascending order")
		}
		previous = name
		context[name] = value
	}
	if in.at != len(bytes) {
		return nil, malformed("bytes are left over after the encryption context")
	}
	return context, nil
}

func appendField[T string | []byte](out []byte, field T) []byte {
	return append(binary.BigEndian.AppendUint16(out, uint16(len(field))), field...)
}

// cursor reads forward and never past the end: once short, everything it returns is empty.
type cursor struct {
	bytes []byte
	at    int
	short bool
}

func (c *cursor) take(length int) []byte {
	if c.short || length > len(c.bytes)-c.at {
		c.short = true
		return nil
	}
	c.at += length
	return c.bytes[c.at-length : c.at : c.at]
}

func (c *cursor) uint8() byte {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) uint16() uint16 {
	if b := c.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) uint32() uint32 {
	if b := c.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (c *cursor) uint64() uint64 {
	if b := c.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (c *cursor) field() []byte { return c.take(int(c.uint16())) }
