"""The keyring document: wrapping keys, of which all read and ``current`` writes. A file or a secret holds it.

``{"namespace": "codec-server", "current": NAME, "keys": [{"name": NAME, "key": BASE64_OF_32_BYTES}, …]}``
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any, Mapping

from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError
from aws_encryption_sdk.identifiers import Algorithm, EncryptionKeyType, WrappingAlgorithm
from aws_encryption_sdk.internal.crypto.wrapping_keys import WrappingKey
from aws_encryption_sdk.key_providers.raw import RawMasterKey
from aws_encryption_sdk.structures import DataKey, EncryptedDataKey
from cryptography.exceptions import InvalidTag

from .errors import CannotOpenError
from .key_source import WRITE_SUITE
from .names import listed, shown

_LONGEST_NAME = 256
_BASE64_OF_32_BYTES = re.compile(r"[A-Za-z0-9+/]{43}=")
#: Bytes behind the key's name in a raw AES keyring's provider info: tag length, IV length, IV.
_INFO_TAIL = 20


@dataclass(frozen=True)
class Keyring:
    """The keys of a document, ready to use."""

    namespace: str
    current: str
    keys: Mapping[str, RawMasterKey]

    def generate(self, context: Mapping[str, str]) -> DataKey:
        """A new data key under the key that writes."""
        return self.keys[self.current].generate_data_key(WRITE_SUITE, dict(context))

    def has_key_for(self, wrapped: frozenset[EncryptedDataKey]) -> bool:
        """Whether a key of that name is there."""
        return any(key.owns_data_key(edk) for edk in wrapped for key in self.keys.values())

    def unwrap(
        self, wrapped: frozenset[EncryptedDataKey], algorithm: Algorithm, context: Mapping[str, str], where: str
    ) -> DataKey:
        """The data key of a message.

        :param where: what holds the document, for the error
        :raises CannotOpenError: when no key opens it
        """
        for edk in wrapped:
            for key in self.keys.values():
                if not key.owns_data_key(edk):
                    continue
                try:
                    return key.decrypt_data_key(edk, algorithm, dict(context))
                except (AWSEncryptionSDKClientError, InvalidTag):
                    raise CannotOpenError(
                        f"the key {self.namespace}/{shown(key.key_id)} does not open this payload: it was altered, "
                        "or another key has that name"
                    ) from None
        raise CannotOpenError(
            f"this payload needs the key {listed(_named(edk) for edk in wrapped)}, and {where} has "
            f"{listed(f'{self.namespace}/{name}' for name in self.keys)}"
        )


class WrongDocument(Exception):
    """Names the place of what is wrong, and never what is written there."""


def parse_keyring(text: str) -> Keyring:
    """Reads a document.

    :raises WrongDocument: when it is not one
    """
    try:
        return _keyring_of(json.loads(text))
    except json.JSONDecodeError as error:
        raise WrongDocument(f"it is not valid JSON at line {error.lineno} column {error.colno}") from None


def _named(edk: EncryptedDataKey) -> str:
    provider = edk.key_provider
    return f"{shown(provider.provider_id)}/{shown(_bytes(provider.key_info)[:-_INFO_TAIL] or provider.key_info)}"


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _keyring_of(document: Any) -> Keyring:
    fields = _fields(document, "the keyring", ("namespace", "current", "keys"))
    namespace = _name(fields["namespace"], "namespace")
    # The AWS Encryption SDK reserves this prefix: such a key would be taken for one of KMS.
    if namespace.startswith("aws-kms"):
        raise WrongDocument('namespace must not start with "aws-kms"')
    current = _name(fields["current"], "current")
    if not isinstance(fields["keys"], list) or not fields["keys"]:
        raise WrongDocument("keys must be an array with at least one element")
    keys: dict[str, RawMasterKey] = {}
    for index, entry in enumerate(fields["keys"]):
        place = f"keys[{index}]"
        key = _fields(entry, place, ("name", "key"))
        name = _name(key["name"], f"{place}.name")
        if name in keys:
            raise WrongDocument(f"{place}.name stands there twice")
        wrapping_key = WrappingKey(
            wrapping_algorithm=WrappingAlgorithm.AES_256_GCM_IV12_TAG16_NO_PADDING,
            wrapping_key=_key(key["key"], f"{place}.key"),
            wrapping_key_type=EncryptionKeyType.SYMMETRIC,
        )
        keys[name] = RawMasterKey(key_id=name.encode(), provider_id=namespace, wrapping_key=wrapping_key)
    if current not in keys:
        raise WrongDocument("current names no key of keys")
    return Keyring(namespace, current, keys)


def _fields(value: Any, place: str, names: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise WrongDocument(f"{place} must be an object with {', '.join(names)}")
    if set(value) != set(names):
        raise WrongDocument(f"{place} must have the fields {', '.join(names)}, and no others")
    return value


def _name(value: Any, place: str) -> str:
    if not isinstance(value, str) or not value or len(value) > _LONGEST_NAME or not value.isprintable():
        raise WrongDocument(f"{place} must be a printable text of 1 to {_LONGEST_NAME} characters")
    return value


def _key(value: Any, place: str) -> bytes:
    if not isinstance(value, str) or not _BASE64_OF_32_BYTES.fullmatch(value):
        raise WrongDocument(f"{place} must be the base64 of 32 bytes, with its padding")
    try:
        key = base64.b64decode(value, validate=True)
    except binascii.Error:
        raise WrongDocument(f"{place} is not valid base64") from None
    if base64.b64encode(key).decode() != value:
        raise WrongDocument(f"{place} is not valid base64")
    return key
