package encryption

import "example.com/temporal-codec-server/workers/go/internal/fault"

// CodecError is every error of this library, with a Reason to tell them apart. Its text names what was wanted and what is
// there, never payload bytes, key bytes or text of a remote service: it is stored and shown in the clear.
type CodecError = fault.CodecError

// Reason says why a payload could not be encoded or decoded.
type Reason = fault.Reason

// The reasons.
const (
	Malformed        = fault.Malformed
	NotAuthentic     = fault.NotAuthentic
	UnknownKey       = fault.UnknownKey
	WrongNamespace   = fault.WrongNamespace
	WrongContext     = fault.WrongContext
	KeyAccessDenied  = fault.KeyAccessDenied
	KeyDisabled      = fault.KeyDisabled
	KeyUnavailable   = fault.KeyUnavailable
	KeyringUnusable  = fault.KeyringUnusable
	TooLarge         = fault.TooLarge
	TooManyLayers    = fault.TooManyLayers
	PlaintextRefused = fault.PlaintextRefused
	WrongOptions     = fault.Options
)
