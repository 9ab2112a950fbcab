// Package fault holds the one error type of the library, so that every part can name its reason.
package fault

import "fmt"

// Reason says why a payload could not be encoded or decoded. The texts are those of the codec server.
type Reason string

const (
	// Malformed: the bytes are not a valid message of the format they claim to be.
	Malformed Reason = "malformed"
	// NotAuthentic: a tag, a commitment or a signature does not verify.
	NotAuthentic Reason = "not-authentic"
	// UnknownKey: the payload names none of the keys that the codec may use.
	UnknownKey Reason = "unknown-key"
	// WrongNamespace: the payload belongs to a namespace that the codec does not read, or is to be written in another.
	WrongNamespace Reason = "wrong-namespace"
	// WrongContext: the key does not unwrap the data key under this encryption context.
	WrongContext Reason = "wrong-context"
	// KeyAccessDenied: the key service does not let this worker use the key.
	KeyAccessDenied Reason = "key-access-denied"
	// KeyDisabled: the key is disabled, pending deletion or deleted.
	KeyDisabled Reason = "key-disabled"
	// KeyUnavailable: the key service cannot answer now, and may in a moment.
	KeyUnavailable Reason = "key-unavailable"
	// KeyringUnusable: the keyring's file or secret is missing, refused or readable by others, or holds no keyring.
	KeyringUnusable Reason = "keyring-unusable"
	// TooLarge: the payload inflates past the limit.
	TooLarge Reason = "too-large"
	// TooManyLayers: the payload is nested deeper than the limit.
	TooManyLayers Reason = "too-many-layers"
	// PlaintextRefused: the payload is not encrypted, and the codec refuses such.
	PlaintextRefused Reason = "plaintext-refused"
	// Options: the options of the codec are wrong; told at once, by the function that takes them.
	Options Reason = "options"
)

// CodecError is every error of the codec. Its text says what is wrong and never holds payload bytes, key bytes or text of
// a remote service, so it may be stored and shown in the clear.
type CodecError struct {
	Reason  Reason
	Message string
}

// Error is the message with the reason in front.
func (e *CodecError) Error() string { return "codec: " + string(e.Reason) + ": " + e.Message }

// Errorf makes a CodecError. It wraps nothing: a wrapped error would be stored as a cause.
func Errorf(reason Reason, format string, args ...any) *CodecError {
	return &CodecError{Reason: reason, Message: fmt.Sprintf(format, args...)}
}
