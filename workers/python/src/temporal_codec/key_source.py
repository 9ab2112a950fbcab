"""What a source of data keys can do. There are KMS, the keyring file, and the keyring in a secret."""

from __future__ import annotations

from typing import Mapping, Protocol

from aws_encryption_sdk.identifiers import Algorithm
from aws_encryption_sdk.structures import DataKey, EncryptedDataKey

#: AES-256-GCM with key commitment and without a signature: 0x0478. What is written.
WRITE_SUITE = Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY

#: Wrapped keys that a message may carry.
MAX_WRAPPED_KEYS = 5


class KeySource(Protocol):
    """Makes and unwraps data keys. Both may block, for as long as the service behind it takes."""

    #: Whether it has nobody to call: then it is asked where it is needed, and not in a thread.
    is_local: bool

    #: Whether every data key that is not in memory costs a call.
    asks_for_each_key: bool

    def generation(self) -> int | None:
        """Changes when the keys change; None when :meth:`check` has to be called first. Called for every payload, so it
        must be cheap."""

    def check(self) -> None:
        """Makes sure that the keys still count. May block.

        :raises CodecError: when they do not
        """

    def generate(self, context: Mapping[str, str]) -> DataKey:
        """A new data key for an encryption context.

        :raises CannotEncodeError: when the key that writes is refused
        :raises KeyUnavailableError: when it may be there in a moment
        """

    def unwrap(
        self, wrapped: frozenset[EncryptedDataKey], algorithm: Algorithm, context: Mapping[str, str]
    ) -> DataKey:
        """The data key of a message.

        :raises CannotOpenError: when no key opens it; the message names the keys wanted and the keys there are
        :raises KeyUnavailableError: when one may in a moment
        """
