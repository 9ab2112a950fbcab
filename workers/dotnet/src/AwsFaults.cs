using System.Net;
using Amazon.Runtime;

namespace TemporalCodec;

/// <summary>What an error of AWS means. Its text stays out of everything: only its code tells more than a name.</summary>
internal static class AwsFaults
{
    /// <summary>Errors that may pass, and expired credentials, which a machine gets anew. Every status from 500 on passes, too.</summary>
    private static readonly HashSet<string> Passing = new(StringComparer.Ordinal)
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
        "ThrottlingException",
        "TooManyRequestsException",
    };

    /// <summary>The code of an error, as it may stand in a message.</summary>
    public static string CodeOf(AmazonServiceException error) => Names.Shown(error.ErrorCode ?? "unknown");

    /// <summary>Whether asking again may help. A status of 0 is of a call that no answer came to.</summary>
    public static bool MayPass(AmazonServiceException error) =>
        Passing.Contains(CodeOf(error))
        || error.StatusCode is 0 or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError;
}
