"""Encrypts the payloads and failures of Temporal workers and clients.

    from temporal_codec import EncryptionPlugin, KmsKeys

    keys = KmsKeys("arn:aws:kms:eu-central-1:111122223333:key/…")
    client = await Client.connect("localhost:7233", namespace="orders", plugins=[EncryptionPlugin(keys)])
"""

from .codec import EncryptionCodec
from .data_keys import CacheSettings
from .errors import (
    CannotEncodeError,
    CannotOpenError,
    CodecError,
    CodecOptionsError,
    KeyringFileError,
    KeyringSecretError,
    KeyUnavailableError,
    PlaintextRefusedError,
    WrongNamespaceError,
)
from .failures import EncryptingFailureConverter
from .key_source import KeySource
from .keyring import KeyringFile
from .keyring_secret import KeyringSecret
from .kms import KmsKeys
from .plugin import EncryptionPlugin

__all__ = [
    "CacheSettings",
    "CannotEncodeError",
    "CannotOpenError",
    "CodecError",
    "CodecOptionsError",
    "EncryptingFailureConverter",
    "EncryptionCodec",
    "EncryptionPlugin",
    "KeySource",
    "KeyUnavailableError",
    "KeyringFile",
    "KeyringFileError",
    "KeyringSecret",
    "KeyringSecretError",
    "KmsKeys",
    "PlaintextRefusedError",
    "WrongNamespaceError",
]
