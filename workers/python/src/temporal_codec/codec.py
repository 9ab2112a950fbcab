"""The payload codec."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Callable, Iterable, Literal, Mapping, Sequence, TypeVar

from aws_encryption_sdk.structures import DataKey
from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.converter import (
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)

from .compression import COMPRESSIONS, Budget, inflate
from .data_keys import CacheSettings, DataKeys, Missing
from .errors import (
    CannotEncodeError,
    CannotOpenError,
    CodecError,
    CodecOptionsError,
    PlaintextRefusedError,
    WrongNamespaceError,
)
from .key_source import KeySource
from .look_ahead import LookAhead
from .message import decrypt, encrypt
from .names import namespace_matcher, shown

ENCODING = "binary/aws-encryption-sdk"
NAMESPACE_KEY = "temporal-namespace"

_MAX_LAYERS = 8
_DEFAULT_INFLATED_BYTES = 32 * 1024 * 1024
#: Payloads from this size on are encrypted in a thread, so that the event loop goes on.
_LARGE = 256 * 1024
#: What the replayer calls the namespace when nobody names one. It sends nothing anywhere.
_REPLAY_NAMESPACE = "ReplayNamespace"

_T = TypeVar("_T")
_Held = Mapping[bytes, DataKey]


class EncryptionCodec(PayloadCodec, WithSerializationContext):
    """Encrypts every payload and binds it to a namespace; opens what is bound to it.

    What is written is an AWS Encryption SDK message of the suite 0x0478 whose encryption context holds
    ``temporal-namespace``. What is read may be of the suite 0x0578 too, framed or not, compressed inside with zstd,
    zlib, gzip or snappy, and in up to 8 layers.

    :param namespace: full name of the namespace that the worker or client works in, such as ``orders-prod.a1b2c``
    :param keys: where data keys come from: :class:`KmsKeys`, :class:`KeyringFile` or :class:`KeyringSecret`
    :param also_decode: further namespaces whose payloads are decoded, with ``*`` for any run of characters
    :param plaintext: ``"accept"`` leaves alone what is not encrypted, ``"refuse"`` fails on it
    :param cache: bounds of the cache of data keys
    :param inflated_bytes: bytes that decompression may produce in one call. Default 32 MiB
    :raises CodecOptionsError: when an option is wrong
    """

    def __init__(
        self,
        namespace: str,
        keys: KeySource,
        *,
        also_decode: Sequence[str] = (),
        plaintext: Literal["accept", "refuse"] = "accept",
        cache: CacheSettings = CacheSettings(),
        inflated_bytes: int = _DEFAULT_INFLATED_BYTES,
    ) -> None:
        if not isinstance(namespace, str) or not namespace:
            raise CodecOptionsError("namespace must be the full name of the namespace that the worker works in")
        if not callable(getattr(keys, "generate", None)):
            raise CodecOptionsError("keys must be KmsKeys, a KeyringFile or a KeyringSecret")
        if plaintext not in ("accept", "refuse"):
            raise CodecOptionsError("plaintext must be 'accept' or 'refuse'")
        if not isinstance(inflated_bytes, int) or inflated_bytes < 1:
            raise CodecOptionsError("inflated_bytes must be a whole number from 1")
        self._namespace = namespace
        self._context = {NAMESPACE_KEY: namespace}
        self._further = namespace_matcher(also_decode)
        self._refuses_plaintext = plaintext == "refuse"
        self._inflated_bytes = inflated_bytes
        self._keys = DataKeys(keys, cache)
        self._look_ahead = LookAhead(self._keys, self._missing_key)
        self._threads: ThreadPoolExecutor | None = None

    @property
    def namespace(self) -> str:
        """The namespace that payloads are bound to."""
        return self._namespace

    def with_context(  # type: ignore[override]  # Any codec will do for the SDK, and its type says: the same.
        self, context: SerializationContext
    ) -> PayloadCodec:
        """The codec as the SDK uses it for one workflow or activity: it encodes for no other namespace than its own."""
        other = getattr(context, "namespace", None)
        if other is not None and other not in (self._namespace, _REPLAY_NAMESPACE):
            return _InContext(self, other)
        if isinstance(context, WorkflowSerializationContext) and context.workflow_id:
            return _InWorkflow(self, context.workflow_id)
        return self

    def look_ahead_with(self, client: Client) -> None:
        """Reads the history of a workflow whose replay misses many data keys, to fetch them side by side.

        :param client: of the worker; what it may read, this asks for
        """
        if self._keys.asks_for_each_key:
            self._look_ahead.use(client)

    async def encode(self, payloads: Iterable[Payload]) -> list[Payload]:
        """Encrypts every payload.

        :raises CannotEncodeError: when there is no key to write with
        :raises KeyUnavailableError: when the key service cannot answer
        """
        return [await self._with_keys(len(it.data), partial(self._seal, it)) for it in list(payloads)]

    async def decode(self, payloads: Iterable[Payload]) -> list[Payload]:
        """Opens every payload. Never passes on ciphertext: one that cannot be opened fails the call.

        :raises CannotOpenError: when a payload stays closed
        :raises KeyUnavailableError: when the key service cannot answer
        """
        return await self._decode(payloads, None)

    async def _decode(self, payloads: Iterable[Payload], workflow_id: str | None) -> list[Payload]:
        given = list(payloads)
        budget = Budget(self._inflated_bytes)
        opened = [self._with_keys(len(it.data), partial(self._open, it, budget), workflow_id) for it in given]
        if len(opened) == 1:
            return [await opened[0]]
        # The keys of several payloads are fetched side by side.
        tasks = [asyncio.ensure_future(it) for it in opened]
        try:
            return list(await asyncio.gather(*tasks))
        except BaseException:
            # Nobody waits for the others any more, and asyncio would log what they meet.
            for it in tasks:
                it.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    def close(self) -> None:
        """Forgets the data keys in memory. To be called when nothing is encoded or decoded any more."""
        self._keys.close()
        if self._threads is not None:
            self._threads.shutdown(wait=False)

    async def _with_keys(self, size: int, work: Callable[[_Held], _T], workflow_id: str | None = None) -> _T:
        """Does work that needs keys, fetching what the cache does not have."""
        held: dict[bytes, DataKey] = {}
        while True:
            try:
                if size < _LARGE:
                    return work(held)
                if self._threads is None:
                    self._threads = ThreadPoolExecutor(2, thread_name_prefix="temporal-codec")
                return await asyncio.get_running_loop().run_in_executor(self._threads, work, held)
            except Missing as error:
                missing = error
            if workflow_id is not None:
                self._look_ahead.missed(workflow_id)
            # Not in the handler above: what goes wrong here is not a consequence of a cache.
            held[missing.name] = await self._keys.fetch(missing)

    def _seal(self, payload: Payload, _: _Held) -> Payload:
        message = encrypt(payload.SerializeToString(), self._keys, self._context)
        return Payload(metadata={"encoding": ENCODING.encode()}, data=message)

    def _open(self, payload: Payload, budget: Budget, held: _Held) -> Payload:
        sealed = False
        spent = 0
        for _ in range(_MAX_LAYERS + 1):
            encoding = payload.metadata.get("encoding", b"").decode("utf-8", "replace")
            if encoding == ENCODING:
                sealed = True
                try:
                    payload = _parsed(decrypt(payload.data, self._keys, held, self._allow))
                except Missing:
                    # It is begun anew when the key is there.
                    budget.refund(spent)
                    raise
            elif not sealed and self._refuses_plaintext:
                raise PlaintextRefusedError(
                    f'a payload is not encrypted (its encoding is {shown(encoding) or "empty"}), and plaintext is refused'
                )
            elif encoding in COMPRESSIONS:
                inflated = inflate(encoding, payload.data, budget)
                spent += len(inflated)
                payload = _parsed(inflated)
            else:
                return payload
        raise CannotOpenError(f"a payload has more than {_MAX_LAYERS} layers")

    def _missing_key(self, payload: Payload) -> Missing | None:
        """The data key of a payload that may be read, unless it is in memory."""
        if payload.metadata.get("encoding") != ENCODING.encode():
            return None
        try:
            decrypt(payload.data, self._keys, {}, self._allow)
        except Missing as missing:
            return missing
        except CodecError:
            # It is told when somebody wants to read the payload.
            pass
        return None

    def _allow(self, context: Mapping[str, str]) -> None:
        bound = context.get(NAMESPACE_KEY)
        if bound == self._namespace or (bound is not None and self._further(bound)):
            return
        if bound is None:
            raise WrongNamespaceError(f"a payload that is bound to no namespace was met in {self._namespace}")
        raise WrongNamespaceError(
            f"a payload of the namespace {shown(bound)} was met in {self._namespace}; "
            "if that is meant, name it in also_decode"
        )


class _InContext(PayloadCodec, WithSerializationContext):
    """The codec in the hands of a client or worker of another namespace: it decodes what it may, and encodes nothing."""

    def __init__(self, codec: EncryptionCodec, namespace: str) -> None:
        self._codec = codec
        self._namespace = namespace

    def with_context(self, context: SerializationContext) -> PayloadCodec:  # type: ignore[override]
        return self._codec.with_context(context)

    async def encode(self, payloads: Iterable[Payload]) -> list[Payload]:
        raise CannotEncodeError(
            f"a payload for the namespace {shown(self._namespace)} would be bound to {self._codec.namespace}: "
            "give the codec the namespace of its client"
        )

    async def decode(self, payloads: Iterable[Payload]) -> list[Payload]:
        return await self._codec.decode(payloads)


class _InWorkflow(PayloadCodec, WithSerializationContext):
    """The codec for one workflow: what its replay misses is looked ahead for."""

    def __init__(self, codec: EncryptionCodec, workflow_id: str) -> None:
        self._codec = codec
        self._workflow_id = workflow_id

    def with_context(self, context: SerializationContext) -> PayloadCodec:  # type: ignore[override]
        return self._codec.with_context(context)

    async def encode(self, payloads: Iterable[Payload]) -> list[Payload]:
        return await self._codec.encode(payloads)

    async def decode(self, payloads: Iterable[Payload]) -> list[Payload]:
        return await self._codec._decode(payloads, self._workflow_id)


def _parsed(serialized: bytes) -> Payload:
    try:
        return Payload.FromString(serialized)
    except DecodeError:
        raise CannotOpenError("what a payload holds is not a payload") from None
