"""Every way in which the codec fails.

Messages name keys, namespaces and the error codes of AWS. They never hold payload bytes, key bytes or text that
came from a remote service. None of these errors is an ``ApplicationError``: the SDK fails the workflow *task* with
it and tries again, and never ends the workflow.
"""

from __future__ import annotations


class CodecError(Exception):
    """Base of the codec's errors. A failure that one of them caused stays readable in the history."""


class CodecOptionsError(CodecError, ValueError):
    """The options of a codec are wrong: a mistake of the program that makes it, told at once."""


class KeyringFileError(CodecError):
    """The keyring file is missing, can be read by others, or is not a keyring."""


class KeyringSecretError(CodecError):
    """The secret with the keyring was reached and cannot be used: it is gone, refused, or not a keyring."""


class CannotEncodeError(CodecError):
    """There is no key to write with, or the key service refuses it."""


class CannotOpenError(CodecError):
    """A payload stays closed: its key is missing or refused, or its bytes are not authentic."""

    #: Whether the key service says that the key itself was taken away.
    revokes = False


class WrongNamespaceError(CannotOpenError):
    """A payload of another namespace, which this codec was not told to decode."""


class PlaintextRefusedError(CannotOpenError):
    """A payload that is not encrypted, where ``plaintext="refuse"``."""


class KeyUnavailableError(CodecError):
    """The key service cannot answer now, and may in a moment."""
