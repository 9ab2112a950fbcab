"""Compression as it stands inside encryption: a serialized payload, compressed. Reading only.

===============  ==============================================
encoding         written by
===============  ==============================================
``binary/zlib``  the zlib codec of the Go and Java SDKs; TypeScript workers
``binary/zstd``  TypeScript workers
``binary/gzip``  the Python samples
``binary/snappy``  the Go samples (the block format)
===============  ==============================================
"""

from __future__ import annotations

import sys
import threading
import zlib
from typing import Any, Callable, Mapping

from .errors import CannotOpenError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

#: The window that every zstd decoder should support is 2^23 (RFC 8878, 3.1.1.1.2); this covers every usual level.
_ZSTD_OPTIONS: Mapping[int, int] = {zstd.DecompressionParameter.window_log_max: 27}
#: Bytes that a stream inflates before they are counted.
_STEP = 1024 * 1024
#: No snappy block says more with less: a copy of 64 bytes takes 3.
_SNAPPY_RATIO = 32


class Budget:
    """Bytes that may come out of decompression in one call of the codec."""

    def __init__(self, total: int) -> None:
        self.left = total
        # Large payloads of one call are opened in threads.
        self._lock = threading.Lock()

    def charge(self, count: int) -> None:
        with self._lock:
            if count > self.left:
                raise CannotOpenError(f"a payload inflates past the {self.left} bytes that are left of the limit")
            self.left -= count

    def refund(self, count: int) -> None:
        """Gives back what was charged for a payload that is opened once more, and no more than that."""
        with self._lock:
            self.left += count


def inflate(encoding: str, data: bytes, budget: Budget) -> bytes:
    """Inflates the data of a payload of an encoding in :data:`COMPRESSIONS`, counting against the budget.

    :raises CannotOpenError: when it inflates past the budget, or is not exactly one valid stream
    """
    return COMPRESSIONS[encoding](data, budget)


def _stream(name: str, make: Callable[[], Any]) -> Callable[[bytes, Budget], bytes]:
    def read(data: bytes, budget: Budget) -> bytes:
        stream = make()
        inflated = bytearray()
        while not stream.eof:
            try:
                step = stream.decompress(data, min(_STEP, budget.left + 1))
            except (zlib.error, zstd.ZstdError, EOFError):
                raise _malformed(name) from None
            # At once: what other threads have inflated meanwhile is in memory as well.
            budget.charge(len(step))
            inflated += step
            if not step and not stream.eof:
                raise _malformed(name)
            # zlib hands back what it has not read, zstd keeps it.
            data = getattr(stream, "unconsumed_tail", b"")
        if stream.unused_data:
            raise _malformed(name)
        return bytes(inflated)

    return read


def _snappy(block: bytes, budget: Budget) -> bytes:
    """The snappy block format (google/snappy, ``format_description.txt``)."""
    try:
        length, at = _snappy_length(block)
        if length > len(block) * _SNAPPY_RATIO:
            raise _malformed("snappy")
        budget.charge(length)
        out = bytearray()
        while at < len(block):
            tag = block[at]
            at += 1
            if tag & 3 == 0:
                size = tag >> 2
                if size >= 60:
                    width = size - 59
                    size = int.from_bytes(block[at : at + width], "little")
                    at += width
                size += 1
                if size > len(block) - at:
                    raise _malformed("snappy")
                out += block[at : at + size]
                at += size
            else:
                if tag & 3 == 1:
                    size, width = (tag >> 2 & 7) + 4, 1
                    offset = (tag >> 5) * 256 + block[at]
                else:
                    size, width = (tag >> 2) + 1, 2 if tag & 3 == 2 else 4
                    offset = int.from_bytes(block[at : at + width], "little")
                    if at + width > len(block):
                        raise _malformed("snappy")
                at += width
                if not 0 < offset <= len(out):
                    raise _malformed("snappy")
                # Where source and target overlap, what was just written repeats.
                source = bytes(out[-offset:][:size])
                out += (source * (size // len(source) + 1))[:size]
            if len(out) > length:
                raise _malformed("snappy")
    except IndexError:
        raise _malformed("snappy") from None
    if len(out) != length:
        raise _malformed("snappy")
    return bytes(out)


def _snappy_length(block: bytes) -> tuple[int, int]:
    length = 0
    for index in range(5):
        length += (block[index] & 0x7F) << (7 * index)
        if block[index] < 0x80:
            return length, index + 1
    raise _malformed("snappy")


def _malformed(name: str) -> CannotOpenError:
    return CannotOpenError(f"a payload is not exactly one valid {name} stream")


#: Readers by the encoding that names them.
COMPRESSIONS: Mapping[str, Callable[[bytes, Budget], bytes]] = {
    "binary/zlib": _stream("zlib", zlib.decompressobj),
    "binary/gzip": _stream("gzip", lambda: zlib.decompressobj(wbits=31)),
    "binary/zstd": _stream("zstd", lambda: zstd.ZstdDecompressor(options=_ZSTD_OPTIONS)),
    "binary/snappy": _snappy,
}
