"""The keyring file: wrapping keys for a machine without AWS, shared with the local codec server.

``{"namespace": "codec-server", "current": NAME, "keys": [{"name": NAME, "key": BASE64_OF_32_BYTES}, …]}``
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import os
import re
import stat
import threading
import time
from dataclasses import dataclass
from typing import Any, Callable, Mapping

from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError
from aws_encryption_sdk.identifiers import Algorithm, EncryptionKeyType, WrappingAlgorithm
from aws_encryption_sdk.internal.crypto.wrapping_keys import WrappingKey
from aws_encryption_sdk.key_providers.raw import RawMasterKey
from aws_encryption_sdk.structures import DataKey, EncryptedDataKey
from cryptography.exceptions import InvalidTag

from .errors import CannotOpenError, KeyringFileError
from .key_source import WRITE_SUITE
from .names import listed, shown

_LOGGER = logging.getLogger(__name__)
_LARGEST_FILE = 1_048_576
_LONGEST_NAME = 256
_BASE64_OF_32_BYTES = re.compile(r"[A-Za-z0-9+/]{43}=")
#: Bytes behind the key's name in a raw AES keyring's provider info: tag length, IV length, IV.
_INFO_TAIL = 20
_SECONDS_BETWEEN_LOOKS = 1.0


@dataclass(frozen=True)
class _Keyring:
    namespace: str
    current: str
    keys: Mapping[str, RawMasterKey]


class KeyringFile:
    """All keys of a keyring file read, its ``current`` writes, and a changed file is picked up within a second.

    While the file is gone, broken or open to others, the keys stay as they were, and the log says why.

    :param path: the file, such as ``.codec-server/keyring.json``
    :raises KeyringFileError: when it cannot be read at the start
    """

    is_local = True

    def __init__(self, path: str | os.PathLike[str], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = os.fspath(path)
        self._clock = clock
        self._lock = threading.Lock()
        self._text = _read_private_file(self._path)
        self._keyring = _parse(self._path, self._text)
        self._generation = 0
        self._problem: str | None = None
        self._next_look = clock() + _SECONDS_BETWEEN_LOOKS

    def generation(self) -> int:
        self._look()
        return self._generation

    def generate(self, context: Mapping[str, str]) -> DataKey:
        self._look()
        keyring = self._keyring
        return keyring.keys[keyring.current].generate_data_key(WRITE_SUITE, dict(context))

    def unwrap(
        self, wrapped: frozenset[EncryptedDataKey], algorithm: Algorithm, context: Mapping[str, str]
    ) -> DataKey:
        self._look()
        keyring = self._keyring
        for edk in wrapped:
            for key in keyring.keys.values():
                if not key.owns_data_key(edk):
                    continue
                try:
                    return key.decrypt_data_key(edk, algorithm, dict(context))
                except (AWSEncryptionSDKClientError, InvalidTag):
                    raise CannotOpenError(
                        f"the key {keyring.namespace}/{shown(key.key_id)} does not open this payload: it was altered, "
                        "or another key has that name"
                    ) from None
        raise CannotOpenError(
            f"this payload needs the key {listed(_named(edk) for edk in wrapped)}, and {self._path} has "
            f"{listed(f'{keyring.namespace}/{name}' for name in keyring.keys)}"
        )

    def _look(self) -> None:
        if self._clock() < self._next_look:
            return
        with self._lock:
            if self._clock() < self._next_look:
                return
            self._next_look = self._clock() + _SECONDS_BETWEEN_LOOKS
            try:
                text = _read_private_file(self._path)
                keyring = self._keyring if text == self._text else _parse(self._path, text)
            except KeyringFileError as error:
                problem = str(error)
                if problem != self._problem:
                    _LOGGER.warning("%s The keys stay as they were.", problem)
                self._problem = problem
                return
            self._problem = None
            if text == self._text:
                return
            self._text, self._keyring = text, keyring
            self._generation += 1


def _named(edk: EncryptedDataKey) -> str:
    provider = edk.key_provider
    return f"{shown(provider.provider_id)}/{shown(_bytes(provider.key_info)[:-_INFO_TAIL] or provider.key_info)}"


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _read_private_file(path: str) -> str:
    try:
        # Without waiting, should it be a pipe that nobody writes to.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        raise KeyringFileError(f"The keyring {path} does not exist.") from None
    except OSError as error:
        raise KeyringFileError(f"The keyring {path} cannot be read ({error.strerror}).") from None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise KeyringFileError(f"The keyring {path} is not a file.")
        if status.st_size > _LARGEST_FILE:
            raise KeyringFileError(f"The keyring {path} is too large: {status.st_size} bytes.")
        # Windows has no such mode: every file looks readable by all.
        if status.st_mode & 0o077 and os.name != "nt":
            mode = format(status.st_mode & 0o777, "o")
            raise KeyringFileError(
                f'The keyring {path} can be read or changed by others (mode {mode}): run "chmod 600 {path}".'
            )
        try:
            return file.read().decode("utf-8")
        except UnicodeDecodeError:
            raise KeyringFileError(f"The keyring {path} is not text in UTF-8.") from None


def _parse(path: str, text: str) -> _Keyring:
    try:
        return _keyring_of(json.loads(text))
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise KeyringFileError(f"The keyring {path} cannot be used: it is not valid JSON at {where}.") from None
    except _Wrong as error:
        raise KeyringFileError(f"The keyring {path} cannot be used: {error}.") from None


class _Wrong(Exception):
    """Names the place of what is wrong, and never what is written there."""


def _keyring_of(document: Any) -> _Keyring:
    fields = _fields(document, "the keyring", ("namespace", "current", "keys"))
    namespace = _name(fields["namespace"], "namespace")
    # The AWS Encryption SDK reserves this prefix: such a key would be taken for one of KMS.
    if namespace.startswith("aws-kms"):
        raise _Wrong('namespace must not start with "aws-kms"')
    current = _name(fields["current"], "current")
    if not isinstance(fields["keys"], list) or not fields["keys"]:
        raise _Wrong("keys must be an array with at least one element")
    keys: dict[str, RawMasterKey] = {}
    for index, entry in enumerate(fields["keys"]):
        place = f"keys[{index}]"
        key = _fields(entry, place, ("name", "key"))
        name = _name(key["name"], f"{place}.name")
        if name in keys:
            raise _Wrong(f"{place}.name stands there twice")
        wrapping_key = WrappingKey(
            wrapping_algorithm=WrappingAlgorithm.AES_256_GCM_IV12_TAG16_NO_PADDING,
            wrapping_key=_key(key["key"], f"{place}.key"),
            wrapping_key_type=EncryptionKeyType.SYMMETRIC,
        )
        keys[name] = RawMasterKey(key_id=name.encode(), provider_id=namespace, wrapping_key=wrapping_key)
    if current not in keys:
        raise _Wrong("current names no key of keys")
    return _Keyring(namespace, current, keys)


def _fields(value: Any, place: str, names: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _Wrong(f"{place} must be an object with {', '.join(names)}")
    if set(value) != set(names):
        raise _Wrong(f"{place} must have the fields {', '.join(names)}, and no others")
    return value


def _name(value: Any, place: str) -> str:
    if not isinstance(value, str) or not value or len(value) > _LONGEST_NAME or not value.isprintable():
        raise _Wrong(f"{place} must be a printable text of 1 to {_LONGEST_NAME} characters")
    return value


def _key(value: Any, place: str) -> bytes:
    if not isinstance(value, str) or not _BASE64_OF_32_BYTES.fullmatch(value):
        raise _Wrong(f"{place} must be the base64 of 32 bytes, with its padding")
    try:
        key = base64.b64decode(value, validate=True)
    except binascii.Error:
        raise _Wrong(f"{place} is not valid base64") from None
    if base64.b64encode(key).decode() != value:
        raise _Wrong(f"{place} is not valid base64")
    return key
