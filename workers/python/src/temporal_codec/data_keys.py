"""The cache of data keys: bounded in number and age, each fetched once however many payloads wait for it.

A lookup never waits: neither for a call that is under way, nor for a thread. Calls run in threads of the cache's own.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any, Callable, Mapping

from aws_encryption_sdk.identifiers import Algorithm
from aws_encryption_sdk.structures import DataKey, EncryptedDataKey

from .errors import CannotOpenError, CodecError, CodecOptionsError, KeyUnavailableError
from .key_source import KeySource

#: Calls under way at once. Each is bounded in time, and what is cached needs none of them.
_THREADS = 32
_LONGEST_WRITE_LIFE = 86_400
#: Seconds between two tries while a key writes on past its life because the key service cannot answer.
_SECONDS_BETWEEN_TRIES = 10.0
#: Seconds for which a refusal, and a fault that may pass, is answered from memory: a history full of payloads under one
#: key then makes one call, and a passing fault is soon tried again.
_REFUSAL_SECONDS = 2.0
_FAULT_SECONDS = 0.25


@dataclass(frozen=True)
class CacheSettings:
    """Bounds of the cache.

    :param read_seconds: how long a key reads after it was fetched: the time for which a revoked key still decodes
    :param write_seconds: how long a key writes, a day at most. It is apart from ``read_seconds`` because it decides how
        many keys, and so calls, a history costs all its readers
    :param write_messages: payloads that one key writes
    :param write_bytes: bytes that one key writes
    :param write_grace_seconds: how long a key goes on writing after ``write_seconds`` while the key service cannot
        answer; never after it has refused
    :param max_keys: keys that are kept for reading: more than the longest history that is replayed has
    :param timeout_seconds: how long a payload waits for the key service: a workflow task has 10
    """

    read_seconds: float = 300.0
    write_seconds: float = 86_400.0
    write_messages: int = 1_000_000
    write_bytes: int = 64 << 30
    write_grace_seconds: float = 3600.0
    max_keys: int = 20_000
    timeout_seconds: float = 8.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, (int, float)) or not value > 0:
                raise CodecOptionsError(f"cache: {field.name} must be a number above 0")
        if self.write_seconds > _LONGEST_WRITE_LIFE:
            raise CodecOptionsError(f"cache: write_seconds must be at most {_LONGEST_WRITE_LIFE}, a day")


class Missing(Exception):
    """A key that is not in the cache. :meth:`DataKeys.fetch` gets it."""

    def __init__(self, name: bytes, get: Callable[[], DataKey]) -> None:
        super().__init__()
        self.name = name
        self.get = get


class _Written:
    """The key that writes now, and what it may still write."""

    __slots__ = ("data_key", "generation", "since", "messages", "bytes", "next_try")

    def __init__(self, data_key: DataKey, generation: int | None, now: float, settings: CacheSettings) -> None:
        self.data_key = data_key
        self.generation = generation
        self.since = now
        self.messages = settings.write_messages
        self.bytes = settings.write_bytes
        self.next_try = now


class DataKeys:
    """Data keys of one source, for the codecs of any number of event loops and threads."""

    def __init__(
        self,
        source: KeySource,
        settings: CacheSettings = CacheSettings(),
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._read: OrderedDict[bytes, tuple[float, DataKey]] = OrderedDict()
        #: The generation of what is in ``_read``.
        self._read_generation: int | None = None
        self._written: dict[bytes, _Written] = {}
        self._flights: dict[bytes, Future[DataKey]] = {}
        self._failed: dict[bytes, tuple[float, CodecError]] = {}
        self._pool: ThreadPoolExecutor | None = None

    @property
    def asks_for_each_key(self) -> bool:
        """Whether every key that is not in memory costs a call."""
        return self._source.asks_for_each_key

    def for_writing(self, context: Mapping[str, str], length: int) -> DataKey:
        """The key that writes one more payload of ``length`` bytes, and counts it.

        :raises Missing: when one has to be made
        """
        name = b"write" + _digest(context)
        generation = self._source.generation()
        with self._lock:
            written = self._written.get(name)
            if written is not None and self._may_write(written, generation, length):
                written.messages -= 1
                written.bytes -= length
                return written.data_key
        raise Missing(name, lambda: self._generate(name, context, length))

    def for_reading(
        self,
        wrapped: frozenset[EncryptedDataKey],
        algorithm: Algorithm,
        context: Mapping[str, str],
        held: Mapping[bytes, DataKey],
    ) -> DataKey:
        """The key that opens a message.

        :param held: keys that were fetched for this payload: it opens, even if the cache had no room to keep them
        :raises Missing: when it has to be unwrapped
        """
        name = _digest(context, wrapped, algorithm.algorithm_id)
        if name in held:
            return held[name]
        generation = self._source.generation()
        with self._lock:
            found = self._fresh(name, generation)
        if found is not None:
            return found
        raise Missing(name, lambda: self._unwrap(name, wrapped, algorithm, context))

    async def fetch(self, missing: Missing) -> DataKey:
        """Gets a key into the cache, with everybody else who waits for it.

        :raises CodecError: as the source does
        :raises KeyUnavailableError: when it takes longer than ``timeout_seconds``; the call itself goes on
        """
        if self._source.is_local:
            return missing.get()
        flight = asyncio.wrap_future(self._flight(missing))
        # Whoever waits alone and gives up leaves an exception that nobody asks for.
        flight.add_done_callback(lambda it: it.cancelled() or it.exception())
        try:
            return await asyncio.wait_for(asyncio.shield(flight), self._settings.timeout_seconds)
        except asyncio.TimeoutError:
            raise KeyUnavailableError(
                f"the key service did not answer within {self._settings.timeout_seconds:g} s"
            ) from None

    def close(self) -> None:
        """Forgets all keys. Calls that are under way end by themselves."""
        with self._lock:
            pool, self._pool = self._pool, None
            self._read.clear()
            self._written.clear()
            self._failed.clear()
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)

    def _may_write(self, written: _Written, generation: int | None, length: int) -> bool:
        if generation is None or written.generation != generation or written.messages < 1:
            return False
        # One that is larger than all bytes together may be the first.
        if written.bytes < length and written.messages < self._settings.write_messages:
            return False
        now = self._clock()
        return now < written.since + self._settings.write_seconds or now < written.next_try

    def _flight(self, missing: Missing) -> Future[DataKey]:
        generation = self._source.generation()
        with self._lock:
            flight = self._flights.get(missing.name)
            if flight is not None:
                return flight
            # It may have landed since it was missed.
            landed = self._fresh(missing.name, generation)
            if landed is not None:
                flight = Future()
                flight.set_result(landed)
                return flight
            failure = self._failed.get(missing.name)
            if failure is not None and self._clock() < failure[0]:
                flight = Future()
                flight.set_exception(_anew(failure[1]))
                return flight
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="temporal-codec-keys")
            flight = self._flights[missing.name] = self._pool.submit(missing.get)
        flight.add_done_callback(lambda it: self._landed(missing.name, it))
        return flight

    def _fresh(self, name: bytes, generation: int | None) -> DataKey | None:
        """The key in memory, if it still counts. To be called with the lock."""
        found = self._read.get(name) if generation == self._read_generation is not None else None
        if found is None or self._clock() >= found[0]:
            return None
        self._read.move_to_end(name)
        return found[1]

    def _landed(self, name: bytes, flight: Future[DataKey]) -> None:
        error = None if flight.cancelled() else flight.exception()
        with self._lock:
            self._flights.pop(name, None)
            self._failed.pop(name, None)
            # A local keyring is asked again at once: its file may have the key by now.
            if isinstance(error, CodecError) and self.asks_for_each_key and self._pool is not None:
                if len(self._failed) >= self._settings.max_keys:
                    self._failed.clear()
                pause = _FAULT_SECONDS if isinstance(error, KeyUnavailableError) else _REFUSAL_SECONDS
                self._failed[name] = (self._clock() + pause, error)

    def _generate(self, name: bytes, context: Mapping[str, str], length: int) -> DataKey:
        self._source.check()
        generation = self._source.generation()
        try:
            data_key = self._source.generate(context)
        except KeyUnavailableError:
            data_key = self._written_in_grace(name, generation, length)
            if data_key is None:
                raise
            return data_key
        except CodecError:
            with self._lock:
                self._written.pop(name, None)
            raise
        with self._lock:
            self._written[name] = _Written(data_key, generation, self._clock(), self._settings)
        return data_key

    def _written_in_grace(self, name: bytes, generation: int | None, length: int) -> DataKey | None:
        """The key in memory, through a fault that may pass."""
        with self._lock:
            written = self._written.get(name)
            now = self._clock()
            if written is None or written.generation != generation or written.messages < 1 or written.bytes < length:
                return None
            end = written.since + self._settings.write_seconds + self._settings.write_grace_seconds
            if now >= end:
                return None
            written.next_try = min(now + _SECONDS_BETWEEN_TRIES, end)
            return written.data_key

    def _unwrap(
        self,
        name: bytes,
        wrapped: frozenset[EncryptedDataKey],
        algorithm: Algorithm,
        context: Mapping[str, str],
    ) -> DataKey:
        self._source.check()
        generation = self._source.generation()
        try:
            data_key = self._source.unwrap(wrapped, algorithm, context)
        except CannotOpenError as error:
            if error.revokes:
                self._forget_written_under(wrapped)
            raise
        with self._lock:
            # What a key opened that is not there any more stays open no longer.
            if generation != self._read_generation:
                self._read.clear()
                self._read_generation = generation
            self._read[name] = (self._clock() + self._settings.read_seconds, data_key)
            self._read.move_to_end(name)
            while len(self._read) > self._settings.max_keys:
                self._read.popitem(last=False)
        return data_key

    def _forget_written_under(self, wrapped: frozenset[EncryptedDataKey]) -> None:
        """A key that reads no more must not go on writing: the next payload asks for a new data key."""
        keys = {it.key_provider.key_info for it in wrapped}
        with self._lock:
            for name in [name for name, it in self._written.items() if it.data_key.key_provider.key_info in keys]:
                del self._written[name]


def _anew(error: CodecError) -> CodecError:
    """A copy, so that no two tasks share a traceback."""
    copy = type(error)(*error.args)
    copy.__dict__.update(error.__dict__)
    return copy


def _digest(context: Mapping[str, str], wrapped: frozenset[EncryptedDataKey] = frozenset(), more: Any = "") -> bytes:
    """A name for a key: of everything that decides whether KMS would give it."""
    digest = hashlib.sha256()
    keys = sorted((it.key_provider.provider_id, it.key_provider.key_info, it.encrypted_data_key) for it in wrapped)
    for part in (*(it for pair in sorted(context.items()) for it in pair), "", *(it for key in keys for it in key), more):
        part = part if isinstance(part, bytes) else str(part).encode()
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()
