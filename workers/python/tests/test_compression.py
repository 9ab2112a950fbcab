"""Compression inside encryption, as other workers write it, and bombs."""

import gzip
import os
import sys
import threading
import zlib

import pytest
from temporalio.api.common.v1 import Payload

from temporal_codec import CannotOpenError, EncryptionCodec, KeyringFile
from temporal_codec.compression import Budget, inflate

from .support import decode, encode, payload

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def snappy(data: bytes) -> bytes:
    """A snappy block that says the last 64 bytes again for as long as they repeat."""
    length = len(data)
    preamble = bytearray()
    while length >= 0x80:
        preamble.append(length & 0x7F | 0x80)
        length >>= 7
    preamble.append(length)
    literal, out = data[:60], bytearray(preamble)
    out += bytes([(len(literal) - 1) << 2]) + literal
    at = len(literal)
    while at < len(data):
        size = min(64, len(data) - at)
        out += bytes([(size - 1) << 2 | 2]) + (1).to_bytes(2, "little")
        at += size
    return bytes(out)


COMPRESS = {
    "binary/zlib": zlib.compress,
    "binary/gzip": gzip.compress,
    "binary/zstd": zstd.compress,
    "binary/snappy": snappy,
}


def compressed(encoding: str, inner: Payload) -> Payload:
    return Payload(metadata={"encoding": encoding.encode()}, data=COMPRESS[encoding](inner.SerializeToString()))


@pytest.fixture
def codec(write_keyring):
    return EncryptionCodec("orders", KeyringFile(write_keyring("one")), inflated_bytes=100_000)


def plain(length: int) -> Payload:
    return Payload(metadata={"encoding": b"binary/plain"}, data=b"A" * length)


@pytest.mark.parametrize("encoding", COMPRESS)
def test_compressed_payloads_inside_encryption_open(codec, encoding) -> None:
    given = [compressed(encoding, plain(5000)), compressed(encoding, plain(100))]
    if encoding == "binary/snappy":
        assert len(given[0].data) < 500
    assert decode(codec, *encode(codec, *given)) == [plain(5000), plain(100)]


@pytest.mark.parametrize("encoding", COMPRESS)
def test_what_inflates_past_the_limit_is_refused(codec, encoding) -> None:
    assert decode(codec, *encode(codec, compressed(encoding, plain(90_000)))) == [plain(90_000)]
    for bomb in ([plain(110_000)], [plain(60_000), plain(60_000)]):
        with pytest.raises(CannotOpenError, match="inflates past"):
            decode(codec, *encode(codec, *(compressed(encoding, it) for it in bomb)))


def test_a_payload_that_waits_for_a_key_gives_back_what_it_took_and_no_more(write_keyring) -> None:
    keyring = write_keyring("one")
    writer = EncryptionCodec("orders", KeyringFile(keyring))
    # Opened as far as the key inside, which it does not have yet: begun anew when the key is there.
    [inside] = encode(writer, plain(40_000))
    waits = compressed("binary/zlib", inside)
    for others, opens in (([plain(50_000)], True), ([plain(70_000)], False)):
        codec = EncryptionCodec("orders", KeyringFile(keyring), inflated_bytes=100_000)
        given = [*(compressed("binary/zlib", it) for it in others), waits]
        if opens:
            assert decode(codec, *given) == [*others, plain(40_000)]
        else:
            with pytest.raises(CannotOpenError, match="inflates past"):
                decode(codec, *given)


@pytest.mark.parametrize("encoding", ["binary/zlib", "binary/gzip", "binary/zstd"])
def test_large_payloads_of_one_call_count_together_in_their_threads(write_keyring, encoding) -> None:
    keyring = write_keyring("one")
    # Noise, so that what is compressed is large enough for a thread of its own.
    large = [Payload(metadata={"encoding": b"binary/plain"}, data=os.urandom(300_000)) for _ in range(4)]
    given = [compressed(encoding, it) for it in large]
    total = sum(len(it.SerializeToString()) for it in large)
    for limit, opens in ((total, True), (total - 1, False)):
        codec = EncryptionCodec("orders", KeyringFile(keyring), inflated_bytes=limit)
        assert min(len(it.data) for it in given) > 256 * 1024
        if opens:
            assert decode(codec, *encode(codec, *given)) == large
        else:
            with pytest.raises(CannotOpenError, match="inflates past"):
                decode(codec, *encode(codec, *given))
        codec.close()


@pytest.mark.parametrize("encoding", ["binary/zlib", "binary/gzip", "binary/zstd"])
def test_threads_have_no_more_in_memory_than_the_limit_and_a_step_each(encoding) -> None:
    limit, step = 8 * 1024 * 1024, 1024 * 1024
    bomb = COMPRESS[encoding](bytes(limit))
    met = threading.Barrier(4, timeout=60)
    produced: list[int] = []

    class Meeting(Budget):
        """Everybody has inflated something before anybody counts."""

        def charge(self, count: int) -> None:
            produced.append(count)
            if len(produced) <= 4:
                met.wait()
            super().charge(count)

    budget = Meeting(limit)

    def run() -> None:
        try:
            inflate(encoding, bomb, budget)
        except CannotOpenError:
            pass

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(produced) <= limit + 4 * step


@pytest.mark.parametrize("encoding", COMPRESS)
def test_streams_that_are_cut_altered_or_too_long_are_refused(codec, encoding) -> None:
    good = compressed(encoding, payload("b" * 400)).data
    spoilt = [good[:length] for length in range(len(good))] + [good + b"\0"]
    for data in spoilt:
        with pytest.raises(CannotOpenError):
            decode(codec, Payload(metadata={"encoding": encoding.encode()}, data=data))


@pytest.mark.parametrize("at", range(0, 40))
def test_no_altered_snappy_block_does_anything_but_open_or_fail(codec, at) -> None:
    good = bytearray(compressed("binary/snappy", payload("b" * 400)).data)
    for bit in range(8):
        good[at % len(good)] ^= 1 << bit
        try:
            decode(codec, Payload(metadata={"encoding": b"binary/snappy"}, data=bytes(good)))
        except CannotOpenError:
            pass
        good[at % len(good)] ^= 1 << bit
