package temporalcodec;

import java.time.Duration;
import java.util.function.UnaryOperator;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.retries.DefaultRetryStrategy;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;

/** The only class that knows the client for Secrets Manager, which a program without a {@link KeyringSecret} has not. */
final class SecretsManager {
  private SecretsManager() {}

  /** Gives the text of a secret's current version: two attempts of 3 s. */
  static UnaryOperator<String> reader(String region) {
    SecretsManagerClient client =
        SecretsManagerClient.builder()
            .region(Region.of(region))
            .overrideConfiguration(
                it ->
                    it.apiCallTimeout(Duration.ofSeconds(5))
                        .apiCallAttemptTimeout(Duration.ofSeconds(3))
                        .retryStrategy(DefaultRetryStrategy.standardStrategyBuilder().maxAttempts(2).build()))
            .build();
    return arn -> client.getSecretValue(it -> it.secretId(arn).versionStage("AWSCURRENT")).secretString();
  }
}
