"""Data keys from AWS KMS, through the master keys of the official library."""

from __future__ import annotations

import re
from typing import Any, Callable, Mapping, Sequence

import boto3
from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError, DecryptKeyError, GenerateKeyError
from aws_encryption_sdk.identifiers import USER_AGENT_SUFFIX, Algorithm
from aws_encryption_sdk.key_providers.kms import KMSMasterKey, MRKAwareKMSMasterKey
from aws_encryption_sdk.structures import DataKey, EncryptedDataKey
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from .aws_fault import read_aws_fault
from .errors import CannotEncodeError, CannotOpenError, CodecError, CodecOptionsError, KeyUnavailableError
from .key_source import WRITE_SUITE
from .names import listed, shown

_KEY_ARN = re.compile(r"arn:[\w-]+:kms:([a-z0-9-]+):\d{12}:key/[\w-]+")
_PROVIDER = "aws-kms"
#: What KMS says when somebody has taken a key away, and not of a payload that was altered.
_REVOKING = frozenset(
    {"AccessDeniedException", "DisabledException", "KMSInvalidStateException", "NotFoundException"}
)

#: Two attempts of at most 6 s, within the 8 s that the codec waits: a workflow task has 10.
_CLIENT_CONFIG = Config(
    connect_timeout=2,
    read_timeout=4,
    retries={"mode": "standard", "total_max_attempts": 2},
    max_pool_connections=64,
    user_agent_extra=USER_AGENT_SUFFIX,
)


class KmsKeys:
    """One KMS key writes, and any number of them read.

    The role needs ``kms:GenerateDataKey`` on the key that writes and ``kms:Decrypt`` on all of them;
    ``kms:Encrypt`` is not used. Every call names its key, and a key that is not listed here is never asked.

    :param write: the ARN of the key that writes, and reads; None only reads
    :param read: ARNs of further keys that read: the ones before a rotation, or those of another namespace
    :param client: makes a boto3 KMS client for a Region. Default: the usual credentials, 4 s for an answer
    :raises CodecOptionsError: when something that must be the ARN of a key is not
    """

    is_local = False
    asks_for_each_key = True

    def __init__(
        self,
        write: str | None,
        read: Sequence[str] = (),
        *,
        client: Callable[[str], Any] | None = None,
    ) -> None:
        if isinstance(read, str):
            raise CodecOptionsError("read must be a list of ARNs")
        make = client or (lambda region: boto3.session.Session().client("kms", region_name=region, config=_CLIENT_CONFIG))
        clients: dict[str, Any] = {}
        arns = list(dict.fromkeys([*([] if write is None else [write]), *read]))
        if not arns:
            raise CodecOptionsError("KmsKeys needs the ARN of a key that writes, or of one that reads")
        self._readers: dict[str, MRKAwareKMSMasterKey] = {}
        for arn in arns:
            match = _KEY_ARN.fullmatch(arn) if isinstance(arn, str) else None
            if match is None:
                raise CodecOptionsError(
                    f"{shown(str(arn))} is not the ARN of a KMS key, such as arn:aws:kms:eu-central-1:111122223333:key/…"
                )
            region = match.group(1)
            if region not in clients:
                clients[region] = make(region)
            self._readers[arn] = MRKAwareKMSMasterKey(key_id=arn.encode(), client=clients[region])
        self._write = write
        self._writer = None if write is None else KMSMasterKey(key_id=write.encode(), client=self._readers[write].config.client)

    def generation(self) -> int:
        return 0

    def check(self) -> None:
        """There is nothing to check: every key is asked for by a call of its own."""

    def generate(self, context: Mapping[str, str]) -> DataKey:
        if self._writer is None:
            raise CannotEncodeError("no KMS key writes: give KmsKeys the ARN of one")
        try:
            return self._writer.generate_data_key(WRITE_SUITE, dict(context))
        except (AWSEncryptionSDKClientError, BotoCoreError, ClientError) as error:
            raise _fault(error, f"the key {self._write}", CannotEncodeError) from None

    def unwrap(
        self, wrapped: frozenset[EncryptedDataKey], algorithm: Algorithm, context: Mapping[str, str]
    ) -> DataKey:
        faults: list[CodecError] = []
        for edk in wrapped:
            for key in self._candidates(edk):
                arn = shown(key.key_id)
                try:
                    return key.decrypt_data_key(edk, algorithm, dict(context))
                except (AWSEncryptionSDKClientError, BotoCoreError, ClientError) as error:
                    faults.append(_fault(error, f"the key {arn}", CannotOpenError))
        # What may pass comes before what will not.
        for fault in sorted(faults, key=lambda it: not isinstance(it, KeyUnavailableError)):
            raise fault
        raise CannotOpenError(
            f"this payload needs the key {listed(_named(edk) for edk in wrapped)}, and the codec has "
            f"{listed(self._readers)}"
        )

    def _candidates(self, edk: EncryptedDataKey) -> list[MRKAwareKMSMasterKey]:
        if edk.key_provider.provider_id != _PROVIDER:
            return []
        named = shown(edk.key_provider.key_info)
        if not _KEY_ARN.fullmatch(named):
            return []
        exact = self._readers.get(named)
        replicas = [key for key in self._readers.values() if key is not exact and key.owns_data_key(edk)]
        return ([] if exact is None else [exact]) + replicas


def _named(edk: EncryptedDataKey) -> str:
    provider = edk.key_provider
    return shown(provider.key_info) if provider.provider_id == _PROVIDER else f"{shown(provider.provider_id)}/…"


def _fault(error: Exception, what: str, refused: type[CodecError]) -> CodecError:
    cause = error.__cause__ if isinstance(error, (DecryptKeyError, GenerateKeyError)) and error.__cause__ else error
    fault = read_aws_fault(cause)
    if fault is None:
        return refused(f"KMS gave no usable answer for {what}")
    if fault.may_pass:
        return KeyUnavailableError(f"KMS cannot answer for {what}: {fault.told}")
    refusal = refused(f"KMS refuses {what}: {fault.told}")
    if isinstance(refusal, CannotOpenError):
        refusal.revokes = fault.told in _REVOKING
    return refusal
