package temporalcodec;

import static temporalcodec.Names.shown;

import java.util.Set;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkException;

/**
 * What an error of an AWS client means. Its text stays out: only its code tells more than a name.
 *
 * @param told a code of AWS, or the name of an error of the client
 */
record AwsFault(boolean mayPass, String told) {
  /** Errors that may pass. Every HTTP status from 500 on passes, too. */
  private static final Set<String> MAY_PASS =
      Set.of(
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
          "TooManyRequestsException");

  /** Null for an error of anything but an AWS client. */
  static AwsFault of(Throwable error) {
    if (error instanceof AwsServiceException service) {
      String code = service.awsErrorDetails() == null ? null : service.awsErrorDetails().errorCode();
      boolean passes = (code != null && MAY_PASS.contains(code)) || service.statusCode() >= 500;
      return new AwsFault(passes, code == null ? "HTTP " + service.statusCode() : shown(code));
    }
    if (error instanceof SdkException)
      return new AwsFault(true, "no answer, or no AWS credentials (" + error.getClass().getSimpleName() + ")");
    return null;
  }
}
