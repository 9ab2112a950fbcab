"""Encodes or decodes a list of payloads with the library for Python, from stdin to stdout, as the codec protocol's JSON.

    python_peer.py encode|decode NAMESPACE kms|keyring|secret ARN|FILE [signed]

The library writes one suite; what is to be signed is written by the official one alone, under the same keys.
"""

import asyncio
import json
import sys
from base64 import b64decode

import aws_encryption_sdk
from aws_encryption_sdk.identifiers import Algorithm, EncryptionKeyType, WrappingAlgorithm
from aws_encryption_sdk.internal.crypto.wrapping_keys import WrappingKey
from aws_encryption_sdk.key_providers.base import MasterKeyProvider
from aws_encryption_sdk.key_providers.raw import RawMasterKey
from google.protobuf import json_format
from temporal_codec import EncryptionCodec, KeyringFile, KeyringSecret, KmsKeys
from temporalio.api.common.v1 import Payload, Payloads


def official_keys(kind: str, key: str) -> MasterKeyProvider:
    if kind == "kms":
        return aws_encryption_sdk.StrictAwsKmsMasterKeyProvider(key_ids=[key])
    with open(key, encoding="utf-8") as file:
        keyring = json.load(file)
    current = next(it for it in keyring["keys"] if it["name"] == keyring["current"])
    wrapping_key = WrappingKey(
        wrapping_algorithm=WrappingAlgorithm.AES_256_GCM_IV12_TAG16_NO_PADDING,
        wrapping_key=b64decode(current["key"]),
        wrapping_key_type=EncryptionKeyType.SYMMETRIC,
    )
    return RawMasterKey(key_id=current["name"].encode(), provider_id=keyring["namespace"], wrapping_key=wrapping_key)


def signed(payload: Payload, namespace: str, keys: MasterKeyProvider) -> Payload:
    message, _ = aws_encryption_sdk.EncryptionSDKClient().encrypt(
        source=payload.SerializeToString(),
        key_provider=keys,
        encryption_context={"temporal-namespace": namespace},
        algorithm=Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384,
    )
    return Payload(metadata={"encoding": b"binary/aws-encryption-sdk"}, data=message)


operation, namespace, kind, key = sys.argv[1:5]
given = json_format.Parse(sys.stdin.read(), Payloads()).payloads
codec = EncryptionCodec(namespace, {"kms": KmsKeys, "keyring": KeyringFile, "secret": KeyringSecret}[kind](key))
if sys.argv[5:] == ["signed"]:
    official = official_keys(kind, key)
    result = [signed(it, namespace, official) for it in given]
else:
    result = asyncio.run(codec.encode(given) if operation == "encode" else codec.decode(given))
print(json_format.MessageToJson(Payloads(payloads=result), indent=None))
