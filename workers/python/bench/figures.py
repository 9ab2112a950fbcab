"""Prints the figures of bench/results/workers.json for Python: microseconds a payload, and calls to KMS for 1,000.

Beside the library stands the codec of Temporal's samples: AES-GCM with one key, and a nonce in front.
"""

import asyncio
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any, Awaitable, Callable

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "src")]

from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: E402
from temporalio.api.common.v1 import Payload  # noqa: E402

from temporal_codec import CacheSettings, EncryptionCodec, KmsKeys  # noqa: E402
from tests.kms_stand_in import KmsStandIn  # noqa: E402

ROUNDS = 5
TIMES = 300
PAYLOAD = Payload(metadata={"encoding": b"json/plain"}, data=b'"' + b"x" * 298 + b'"')


class SampleCodec:
    def __init__(self) -> None:
        self._cipher = AESGCM(os.urandom(32))

    async def encode(self, payloads: list[Payload]) -> list[Payload]:
        return [
            Payload(metadata={"encoding": b"binary/encrypted"}, data=nonce + self._cipher.encrypt(nonce, it.SerializeToString(), None))
            for it in payloads
            for nonce in [os.urandom(12)]
        ]

    async def decode(self, payloads: list[Payload]) -> list[Payload]:
        return [Payload.FromString(self._cipher.decrypt(it.data[:12], it.data[12:], None)) for it in payloads]


async def median(work: Callable[[], Awaitable[Any]]) -> float:
    """Microseconds of CPU, the median of the rounds: other processes of the machine do not count."""
    rounds = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        for _ in range(TIMES):
            await work()
        rounds.append((time.process_time() - begin) / TIMES * 1e6)
    return statistics.median(rounds)


async def microseconds(codec: Any) -> dict[str, float]:
    encoded = await codec.encode([PAYLOAD])
    await codec.decode(encoded)
    return {"encode": await median(lambda: codec.encode([PAYLOAD])), "decode": await median(lambda: codec.decode(encoded))}


async def calls(kms: KmsStandIn, **cache: int) -> dict[str, int]:
    arn = kms.create_key()
    kms.calls.clear()
    writer = EncryptionCodec("orders", KmsKeys(arn, client=kms.client), cache=CacheSettings(**cache))
    encoded = await writer.encode([PAYLOAD] * 1000)
    reader = EncryptionCodec("orders", KmsKeys(None, [arn], client=kms.client))
    counted = {"write": len(kms.calls)}
    for name in ("read", "again"):
        kms.calls.clear()
        await reader.decode(encoded)
        counted[name] = len(kms.calls)
    return counted


async def main() -> None:
    kms = KmsStandIn()
    library = EncryptionCodec("orders", KmsKeys(kms.create_key(), client=kms.client))
    figures = {
        "microseconds": {"library": await microseconds(library), "sample": await microseconds(SampleCodec())},
        "calls": {"oneDataKey": await calls(kms), "manyDataKeys": await calls(kms, write_messages=1)},
    }
    print(json.dumps(figures))


asyncio.run(main())
