"""A keyring document in a secret of AWS Secrets Manager, read every five minutes."""

from __future__ import annotations

import logging
import re
import threading
import time
from dataclasses import dataclass
from typing import Any, Callable, Mapping

import boto3
from aws_encryption_sdk.identifiers import Algorithm
from aws_encryption_sdk.structures import DataKey, EncryptedDataKey
from botocore.config import Config

from .aws_fault import read_aws_fault
from .errors import CodecError, CodecOptionsError, KeyringSecretError, KeyUnavailableError
from .keyring_document import Keyring, WrongDocument, parse_keyring
from .names import shown

_LOGGER = logging.getLogger(__name__)
_SECRET_ARN = re.compile(r"arn:aws[a-z0-9-]*:secretsmanager:([a-z0-9-]+):[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+")
_KMS_PROVIDER = "aws-kms"
#: Seconds for which what was read goes on after its time while the secret cannot be reached.
_STALE_SECONDS = 3600.0
#: Seconds between two readings that an unknown key causes.
_REFRESH_SECONDS = 30.0
#: Seconds between two tries while the secret cannot be read.
_RETRY_SECONDS = 5.0
_CLIENT_CONFIG = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})


@dataclass(frozen=True)
class _Known:
    keyring: Keyring
    text: str
    generation: int
    #: When the reading began that has confirmed it last.
    confirmed: float


@dataclass(frozen=True)
class _Failed:
    error: CodecError
    next_try: float

    @property
    def may_pass(self) -> bool:
        return isinstance(self.error, KeyUnavailableError)


class KeyringSecret:
    """The keys of a keyring document that is a secret: all read, ``current`` writes, and there is no call for a data key.

    What was read counts for ``read_seconds``, and for an hour more while Secrets Manager cannot be reached. A secret that can
    be reached and not used (deleted, no right, a slip in the document) ends with ``read_seconds``: somebody may have meant to
    revoke it. Whoever may read the secret reads every namespace that it serves.

    The role needs ``secretsmanager:GetSecretValue`` on the secret.

    :param arn: the ARN of the secret
    :param read_seconds: how long a version counts without being read again: the time for which a revoked key still decodes
    :param client: makes a boto3 client of Secrets Manager for a Region. Default: the usual credentials, 3 s for an answer
    :raises CodecOptionsError: when an option is wrong
    """

    is_local = False
    asks_for_each_key = False

    def __init__(
        self,
        arn: str,
        *,
        read_seconds: float = 300.0,
        client: Callable[[str], Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        match = _SECRET_ARN.fullmatch(arn) if isinstance(arn, str) else None
        if match is None:
            raise CodecOptionsError(
                f"{shown(str(arn))} is not the ARN of a secret, such as "
                "arn:aws:secretsmanager:eu-central-1:111122223333:secret:codec-keyring-a1b2c3"
            )
        if not isinstance(read_seconds, (int, float)) or not read_seconds > 0:
            raise CodecOptionsError("read_seconds must be a number above 0")
        make = client or (
            lambda region: boto3.session.Session().client("secretsmanager", region_name=region, config=_CLIENT_CONFIG)
        )
        self._arn = arn
        self._client = make(match.group(1))
        self._read_seconds = read_seconds
        self._clock = clock
        #: Held while the secret is read, by whoever cannot go on without it.
        self._reading = threading.Lock()
        self._known: _Known | None = None
        self._failed: _Failed | None = None

    def generation(self) -> int | None:
        known = self._known
        return known.generation if known is not None and self._counts(known) else None

    def check(self) -> None:
        self._get()

    def generate(self, context: Mapping[str, str]) -> DataKey:
        return self._get().generate(context)

    def unwrap(
        self, wrapped: frozenset[EncryptedDataKey], algorithm: Algorithm, context: Mapping[str, str]
    ) -> DataKey:
        keyring = self._get()
        if not keyring.has_key_for(wrapped) and any(it.key_provider.provider_id != _KMS_PROVIDER for it in wrapped):
            keyring = self._get(_REFRESH_SECONDS)
        return keyring.unwrap(wrapped, algorithm, context, f"the secret {self._arn}")

    def _counts(self, known: _Known) -> bool:
        age = self._clock() - known.confirmed
        if age < self._read_seconds:
            return True
        failed = self._failed
        return (
            failed is not None
            and failed.may_pass
            and self._clock() < failed.next_try
            and age < self._read_seconds + _STALE_SECONDS
        )

    def _get(self, at_most: float | None = None) -> Keyring:
        """The keyring, read if need be.

        :param at_most: seconds for which it may have been confirmed; none while the secret cannot be read
        """
        before = self._known
        if before is not None and self._counts(before) and not self._is_due(before, at_most):
            return before.keyring
        with self._reading:
            known = self._known
            if known is not None and known is not before and self._counts(known):
                return known.keyring
            failed = self._failed
            if failed is not None and self._clock() < failed.next_try:
                return self._known_or_raise(failed)
            return self._read()

    def _is_due(self, known: _Known, at_most: float | None) -> bool:
        failed = self._failed
        if at_most is None or (failed is not None and self._clock() < failed.next_try):
            return False
        return self._clock() - known.confirmed >= at_most

    def _read(self) -> Keyring:
        started = self._clock()
        try:
            text = self._ask()
            known = self._known
            if known is None or known.text != text:
                generation = 0 if known is None else known.generation + 1
                known = _Known(self._parse(text), text, generation, started)
            self._known = known = _Known(known.keyring, text, known.generation, started)
            self._failed = None
            return known.keyring
        except CodecError as error:
            if self._failed is None or str(self._failed.error) != str(error):
                _LOGGER.warning("%s", error)
            self._failed = _Failed(error, self._clock() + _RETRY_SECONDS)
            return self._known_or_raise(self._failed)

    def _known_or_raise(self, failed: _Failed) -> Keyring:
        if self._known is not None and self._counts(self._known):
            return self._known.keyring
        raise type(failed.error)(str(failed.error))

    def _ask(self) -> str:
        try:
            answer = self._client.get_secret_value(SecretId=self._arn, VersionStage="AWSCURRENT")
        except Exception as error:
            fault = read_aws_fault(error)
            if fault is None or fault.may_pass:
                told = type(error).__name__ if fault is None else fault.told
                raise KeyUnavailableError(f"Secrets Manager cannot give the secret {self._arn}: {told}") from None
            raise KeyringSecretError(f"Secrets Manager refuses the secret {self._arn}: {fault.told}") from None
        text = answer.get("SecretString")
        if not isinstance(text, str):
            raise KeyringSecretError(f"the secret {self._arn} holds bytes, not text")
        return text

    def _parse(self, text: str) -> Keyring:
        try:
            return parse_keyring(text)
        except WrongDocument as error:
            raise KeyringSecretError(f"the secret {self._arn} cannot be used: {error}") from None
