"""The payload codec of the codec server, for Python workers, with the official AWS Encryption SDK.

    codec = EncryptionCodec("orders-prod.a1b2c", kms_keys("arn:aws:kms:eu-central-1:111122223333:key/..."))
    converter = dataclasses.replace(temporalio.converter.default(), payload_codec=codec)
    client = await Client.connect("...", namespace="orders-prod.a1b2c", data_converter=converter)
"""

import asyncio
import base64
import json
from typing import Iterable, List

import aws_encryption_sdk
from aws_encryption_sdk.identifiers import Algorithm, CommitmentPolicy, EncryptionKeyType, WrappingAlgorithm
from aws_encryption_sdk.internal.crypto.wrapping_keys import WrappingKey
from aws_encryption_sdk.key_providers.base import MasterKeyProvider
from aws_encryption_sdk.key_providers.raw import RawMasterKey
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

ENCODING = b"binary/aws-encryption-sdk"
NAMESPACE = "temporal-namespace"
# AES-256-GCM with key commitment and without a signature: 0x0478.
SUITE = Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY


class EncryptionCodec(PayloadCodec):
    """Encrypts every payload, and binds it to the namespace that this worker works in."""

    def __init__(self, namespace: str, keys: MasterKeyProvider, suite: Algorithm = SUITE) -> None:
        self._namespace = namespace
        self._suite = suite
        self._sdk = aws_encryption_sdk.EncryptionSDKClient(
            commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT, max_encrypted_data_keys=5
        )
        # One data key for many payloads: without this, every payload is a call to KMS.
        self._materials = aws_encryption_sdk.CachingCryptoMaterialsManager(
            master_key_provider=keys,
            cache=aws_encryption_sdk.LocalCryptoMaterialsCache(capacity=1000),
            max_age=300.0,
            max_messages_encrypted=10_000,
        )

    async def encode(self, payloads: Iterable[Payload]) -> List[Payload]:
        return await asyncio.to_thread(lambda: [self._encrypt(it) for it in list(payloads)])

    async def decode(self, payloads: Iterable[Payload]) -> List[Payload]:
        return await asyncio.to_thread(lambda: [self._decrypt(it) for it in list(payloads)])

    def _encrypt(self, payload: Payload) -> Payload:
        message, _ = self._sdk.encrypt(
            source=payload.SerializeToString(),
            materials_manager=self._materials,
            encryption_context={NAMESPACE: self._namespace},
            algorithm=self._suite,
        )
        return Payload(metadata={"encoding": ENCODING}, data=message)

    def _decrypt(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            return payload
        plaintext, header = self._sdk.decrypt(source=payload.data, materials_manager=self._materials)
        # Authentic, but of whom? Without this line, a payload could be carried from one namespace to another.
        if header.encryption_context.get(NAMESPACE) != self._namespace:
            raise ValueError("this payload belongs to another namespace")
        return Payload.FromString(plaintext)


def kms_keys(*arns: str) -> MasterKeyProvider:
    """AWS KMS: every key in the list can read what is written, so list one, or one for each Region."""
    return aws_encryption_sdk.StrictAwsKmsMasterKeyProvider(key_ids=list(arns))


def local_key(path: str) -> MasterKeyProvider:
    """The current key of a keyring file, such as the local codec server makes: development without AWS."""
    with open(path, encoding="utf-8") as file:
        keyring = json.load(file)
    key = next(key for key in keyring["keys"] if key["name"] == keyring["current"])
    wrapping_key = WrappingKey(
        wrapping_algorithm=WrappingAlgorithm.AES_256_GCM_IV12_TAG16_NO_PADDING,
        wrapping_key=base64.b64decode(key["key"]),
        wrapping_key_type=EncryptionKeyType.SYMMETRIC,
    )
    return RawMasterKey(key_id=key["name"].encode(), provider_id=keyring["namespace"], wrapping_key=wrapping_key)
