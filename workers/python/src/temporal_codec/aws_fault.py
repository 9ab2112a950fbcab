"""What an error of an AWS client means. Its text stays out: only its code tells more than a name."""

from __future__ import annotations

from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from .names import shown

#: Errors that may pass. Every HTTP status from 500 on passes, too.
_MAY_PASS = frozenset(
    {
        "DependencyTimeoutException",
        "ExpiredToken",
        "ExpiredTokenException",
        "InternalFailure",
        "InternalServiceError",
        "KMSInternalException",
        "KeyUnavailableException",
        "LimitExceededException",
        "RequestExpired",
        "RequestLimitExceeded",
        "RequestTimeTooSkewed",
        "ServiceUnavailable",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


@dataclass(frozen=True)
class AwsFault:
    """:param told: a code of AWS, or the name of an error of the client"""

    may_pass: bool
    told: str


def read_aws_fault(error: BaseException) -> AwsFault | None:
    """None for an error of anything but an AWS client."""
    if isinstance(error, ClientError):
        code = shown(str(error.response.get("Error", {}).get("Code", "unknown")))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return AwsFault(code in _MAY_PASS or status >= 500, code)
    if isinstance(error, NoCredentialsError):
        return AwsFault(False, "this process has no AWS credentials")
    if isinstance(error, BotoCoreError):
        return AwsFault(True, type(error).__name__)
    return None
