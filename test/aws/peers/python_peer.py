"""Encodes or decodes a list of payloads with the Python example, from stdin to stdout, as the codec protocol's JSON.

    python_peer.py encode|decode NAMESPACE kms|keyring ARN|FILE [signed]
"""

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "examples" / "python"))

from aws_encryption_sdk.identifiers import Algorithm  # noqa: E402
from codec import SUITE, EncryptionCodec, kms_keys, local_key  # noqa: E402
from google.protobuf import json_format  # noqa: E402
from temporalio.api.common.v1 import Payloads  # noqa: E402

operation, namespace, kind, key = sys.argv[1:5]
signed = sys.argv[5:] == ["signed"]
suite = Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384 if signed else SUITE
codec = EncryptionCodec(namespace, kms_keys(key) if kind == "kms" else local_key(key), suite)
given = json_format.Parse(sys.stdin.read(), Payloads()).payloads
result = asyncio.run(codec.encode(given) if operation == "encode" else codec.decode(given))
print(json_format.MessageToJson(Payloads(payloads=result), indent=None))
