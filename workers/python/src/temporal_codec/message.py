"""One AWS Encryption SDK message, written and read by the official library with the data keys of the cache."""

from __future__ import annotations

import io
import logging
from typing import Callable, Mapping

import aws_encryption_sdk
from aws_encryption_sdk.identifiers import Algorithm, CommitmentPolicy
from aws_encryption_sdk.key_providers.base import MasterKeyProvider, MasterKeyProviderConfig
from aws_encryption_sdk.materials_managers import EncryptionMaterials, EncryptionMaterialsRequest
from aws_encryption_sdk.materials_managers.base import CryptoMaterialsManager
from aws_encryption_sdk.materials_managers.default import DefaultCryptoMaterialsManager
from aws_encryption_sdk.structures import DataKey, EncryptedDataKey

from .data_keys import DataKeys, Missing
from .errors import CannotOpenError, CodecError
from .key_source import MAX_WRAPPED_KEYS, WRITE_SUITE

#: The frame length of the official libraries. A longer payload has one frame as long as itself: it is in memory as
#: a whole anyway, and is read several times as fast.
_USUAL_FRAME_LENGTH = 4096
#: The library takes no frame length that is not a multiple of it.
_FRAME_LENGTH_STEP = 128

_SDK = aws_encryption_sdk.EncryptionSDKClient(
    commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT, max_encrypted_data_keys=MAX_WRAPPED_KEYS
)
# It logs every key that is refused with a trace; the errors say the same, and go to the SDK's log.
for _name in ("key_providers.kms", "key_providers.base", "streaming_client"):
    logging.getLogger(f"aws_encryption_sdk.{_name}").setLevel(logging.CRITICAL)


def encrypt(plaintext: bytes, keys: DataKeys, context: Mapping[str, str]) -> bytes:
    """Writes a message of the suite 0x0478.

    :raises Missing: when a data key has to be made first
    """
    data_key = keys.for_writing(context, len(plaintext))
    message, _ = _SDK.encrypt(
        source=plaintext,
        materials_manager=_OneKey(data_key),
        encryption_context=dict(context),
        algorithm=WRITE_SUITE,
        frame_length=max(_USUAL_FRAME_LENGTH, (len(plaintext) // _FRAME_LENGTH_STEP + 1) * _FRAME_LENGTH_STEP),
    )
    return message


def decrypt(
    message: bytes, keys: DataKeys, held: Mapping[bytes, DataKey], allow: Callable[[Mapping[str, str]], None]
) -> bytes:
    """Reads a message of the suite 0x0478 or 0x0578, framed or not.

    :param held: keys that were fetched for this message already
    :param allow: is given the encryption context before a key is touched, and raises when it may not be opened
    :raises Missing: when its data key has to be unwrapped first
    :raises CannotOpenError: when it is not exactly one authentic message of these suites
    """
    source = io.BytesIO(message)
    try:
        materials = DefaultCryptoMaterialsManager(master_key_provider=_CachedKeys(keys, held, allow))
        plaintext, header = _SDK.decrypt(source=source, materials_manager=materials)
    except (CodecError, Missing):
        raise
    except Exception as error:
        # The library has a dozen ways to say it, `struct.error` and `UnicodeDecodeError` among them.
        raise CannotOpenError(f"a payload is not an authentic message ({type(error).__name__})") from None
    if source.closed or source.read(1):
        raise CannotOpenError("a payload has bytes behind its message")
    # What the header's tag has authenticated now, and was only claimed before.
    allow(header.encryption_context)
    return plaintext


class _OneKey(CryptoMaterialsManager):
    """Gives the library the one data key that it shall write with."""

    def __init__(self, data_key: DataKey) -> None:
        self._data_key = data_key

    def get_encryption_materials(self, request: EncryptionMaterialsRequest) -> EncryptionMaterials:
        key = self._data_key
        return EncryptionMaterials(
            algorithm=WRITE_SUITE,
            data_encryption_key=key,
            encrypted_data_keys={
                EncryptedDataKey(key_provider=key.key_provider, encrypted_data_key=key.encrypted_data_key)
            },
            encryption_context=request.encryption_context,
        )

    def decrypt_materials(self, request: object) -> None:
        raise NotImplementedError("it writes")


class _CachedKeys(MasterKeyProvider):
    """Gives the library the data keys that the cache has."""

    provider_id = "temporal-codec"
    _config_class = MasterKeyProviderConfig
    vend_masterkey_on_decrypt = False

    def __new__(cls, *_: object) -> _CachedKeys:
        return super().__new__(cls)

    def __init__(
        self, keys: DataKeys, held: Mapping[bytes, DataKey], allow: Callable[[Mapping[str, str]], None]
    ) -> None:
        self._keys = keys
        self._held = held
        self._allow = allow

    def _new_master_key(self, key_id: bytes) -> None:
        raise NotImplementedError("it has data keys")

    def decrypt_data_key_from_list(
        self, encrypted_data_keys: set[EncryptedDataKey], algorithm: Algorithm, encryption_context: Mapping[str, str]
    ) -> DataKey:
        self._allow(encryption_context)
        return self._keys.for_reading(frozenset(encrypted_data_keys), algorithm, encryption_context, self._held)
