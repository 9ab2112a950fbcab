"""The vectors that every language of this repository is held to."""

import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from temporalio.api.common.v1 import Payload

from temporal_codec import CannotOpenError, EncryptionCodec, KeyringFile

from .support import decode

VECTORS = Path(__file__).resolve().parents[3] / "test" / "vectors"
MESSAGES = json.loads((VECTORS / "aws-encryption-sdk-python.json").read_text())


def of_json(value: dict[str, Any]) -> Payload:
    return json_format.ParseDict(value, Payload())


@pytest.fixture
def codec(tmp_path: Path) -> EncryptionCodec:
    file = tmp_path / "keyring.json"
    file.write_text(json.dumps(MESSAGES["keyring"]))
    file.chmod(0o600)
    return EncryptionCodec("orders-dev.a1b2c", KeyringFile(file))


@pytest.mark.parametrize("vector", MESSAGES["good"], ids=lambda it: it["name"])
def test_frozen_messages_decode_for_ever(codec: EncryptionCodec, vector: dict[str, Any]) -> None:
    assert decode(codec, of_json(vector["payload"])) == [of_json(vector["expect"])]


@pytest.mark.parametrize("vector", MESSAGES["good"], ids=lambda it: it["name"])
def test_no_altered_or_shortened_message_opens(codec: EncryptionCodec, vector: dict[str, Any]) -> None:
    payload = of_json(vector["payload"])
    spoilt = [payload.data[:length] for length in range(len(payload.data))]
    for at in range(len(payload.data)):
        flipped = bytearray(payload.data)
        flipped[at] ^= 1 << (at % 8)
        spoilt.append(bytes(flipped))
    spoilt.append(payload.data + b"\0")
    for data in spoilt:
        with pytest.raises(CannotOpenError):
            decode(codec, Payload(metadata=payload.metadata, data=data))

