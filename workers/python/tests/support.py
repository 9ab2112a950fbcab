"""Payloads for the tests, and a codec without an event loop around it."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Callable

from temporalio.api.common.v1 import Payload

from temporal_codec import EncryptionCodec

#: Seconds after which a test gives up what it waits for: enough for a machine that is many times slower.
PATIENCE = 120.0


def until(so: Callable[[], object]) -> None:
    """Waits until something is so."""
    deadline = time.monotonic() + PATIENCE
    while not so():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def payload(text: str = "a secret of Ada Lovelace", encoding: str = "json/plain") -> Payload:
    return Payload(metadata={"encoding": encoding.encode()}, data=f'"{text}"'.encode())


def encode(codec: EncryptionCodec, *payloads: Payload) -> list[Payload]:
    return asyncio.run(codec.encode(payloads))


def decode(codec: Any, *payloads: Payload) -> list[Payload]:
    return asyncio.run(codec.decode(payloads))


def encoding_of(it: Payload) -> str:
    return it.metadata["encoding"].decode()


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
