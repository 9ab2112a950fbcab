"""Failures whose messages and stack traces are encrypted."""

from __future__ import annotations

from temporalio.api.failure.v1 import Failure
from temporalio.converter import DefaultFailureConverter, DefaultFailureConverterWithEncodedAttributes, PayloadConverter

from .errors import CodecError

_READABLE = DefaultFailureConverter()


class EncryptingFailureConverter(DefaultFailureConverterWithEncodedAttributes):
    """Moves messages and stack traces to where the codec encrypts them, except those of the codec itself.

    A failure of the codec cannot be encrypted with the codec. Its text names keys and namespaces and holds no secret,
    and it is what people need to see.
    """

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        if isinstance(exception, CodecError):
            _READABLE.to_failure(type(exception)(str(exception)), payload_converter, failure)
            return
        super().to_failure(exception, payload_converter, failure)
