package temporalcodec;

import static temporalcodec.CodecException.Reason.CANNOT_ENCODE;
import static temporalcodec.CodecException.Reason.CANNOT_OPEN;
import static temporalcodec.CodecException.Reason.KEY_UNAVAILABLE;
import static temporalcodec.CodecException.Reason.OPTIONS;
import static temporalcodec.Names.listed;
import static temporalcodec.Names.shown;

import com.amazonaws.encryptionsdk.CryptoAlgorithm;
import com.amazonaws.encryptionsdk.DataKey;
import com.amazonaws.encryptionsdk.EncryptedDataKey;
import com.amazonaws.encryptionsdk.exception.AwsCryptoException;
import com.amazonaws.encryptionsdk.kmssdkv2.AwsKmsMrkAwareMasterKey;
import com.amazonaws.encryptionsdk.kmssdkv2.AwsKmsMrkAwareMasterKeyProvider;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.retries.DefaultRetryStrategy;
import software.amazon.awssdk.services.kms.KmsClient;

/**
 * Data keys from AWS KMS: one KMS key writes, and any number of them read.
 *
 * <p>The role needs {@code kms:GenerateDataKey} on the key that writes and {@code kms:Decrypt} on all of them; {@code
 * kms:Encrypt} is not used. Every call names its key, and a key that is not listed here is never asked.
 */
public final class KmsKeys implements KeySource {
  private static final String PROVIDER = "aws-kms";
  private static final Pattern KEY_ARN = Pattern.compile("arn:[\\w-]+:kms:([a-z0-9-]+):(\\d{12}):key/([\\w-]+)");

  /** What KMS says when somebody has taken a key away, and not of a payload that was altered. */
  private static final Set<String> REVOKING =
      Set.of("AccessDeniedException", "DisabledException", "KMSInvalidStateException", "NotFoundException");

  private final AwsKmsMrkAwareMasterKey writer;
  private final Map<String, AwsKmsMrkAwareMasterKey> readers = new LinkedHashMap<>();

  private KmsKeys(String write, Collection<String> read, Function<Region, KmsClient> client) {
    Map<Region, KmsClient> clients = new ConcurrentHashMap<>();
    List<String> arns = new ArrayList<>(read);
    if (write != null) arns.add(0, write);
    if (arns.isEmpty()) throw new CodecException(OPTIONS, "KmsKeys needs the ARN of a key");
    for (String arn : arns) {
      if (arn == null || !KEY_ARN.matcher(arn).matches())
        throw new CodecException(
            OPTIONS,
            shown(String.valueOf(arn))
                + " is not the ARN of a KMS key, such as arn:aws:kms:eu-central-1:111122223333:key/…");
      readers.computeIfAbsent(
          arn,
          it ->
              AwsKmsMrkAwareMasterKeyProvider.builder()
                  .customRegionalClientSupplier(region -> clients.computeIfAbsent(region, client))
                  .buildStrict(it)
                  .getMasterKey(PROVIDER, it));
    }
    writer = write == null ? null : readers.get(write);
  }

  /**
   * @param write the ARN of the key that writes, and reads
   * @param read ARNs of further keys that read: the ones before a rotation, or those of another namespace
   * @throws CodecException when something that must be the ARN of a key is not
   */
  public static KmsKeys of(String write, String... read) {
    return new KmsKeys(write, List.of(read), KmsKeys::usualClient);
  }

  /** Keys that only read. */
  public static KmsKeys reading(String... read) {
    return new KmsKeys(null, List.of(read), KmsKeys::usualClient);
  }

  /** The same with clients of your own, one for each Region; {@code write} may be null. */
  public static KmsKeys withClients(Function<Region, KmsClient> clients, String write, Collection<String> read) {
    return new KmsKeys(write, read, clients);
  }

  /** Two attempts of 4 s, within the 8 s that the codec waits: a workflow task has 10. */
  private static KmsClient usualClient(Region region) {
    return KmsClient.builder()
        .region(region)
        .overrideConfiguration(
            it ->
                it.apiCallTimeout(Duration.ofSeconds(9))
                    .apiCallAttemptTimeout(Duration.ofSeconds(4))
                    .retryStrategy(DefaultRetryStrategy.standardStrategyBuilder().maxAttempts(2).build()))
        .build();
  }

  @Override
  public boolean isLocal() {
    return false;
  }

  @Override
  public boolean asksForEachKey() {
    return true;
  }

  @Override
  public void check() {}

  @Override
  public int generation() {
    return 0;
  }

  @Override
  public DataKey<?> generate(Map<String, String> context) {
    if (writer == null) throw new CodecException(CANNOT_ENCODE, "no KMS key writes: give KmsKeys the ARN of one");
    try {
      return writer.generateDataKey(DataKeys.WRITE_SUITE, context);
    } catch (RuntimeException e) {
      throw fault(e, writer.getKeyId(), CANNOT_ENCODE);
    }
  }

  @Override
  public DataKey<?> unwrap(
      Collection<? extends EncryptedDataKey> wrapped, CryptoAlgorithm algorithm, Map<String, String> context) {
    CodecException fault = null;
    for (EncryptedDataKey edk : wrapped) {
      for (AwsKmsMrkAwareMasterKey key : candidates(edk)) {
        try {
          return key.decryptDataKey(algorithm, List.of(edk), context);
        } catch (RuntimeException e) {
          CodecException next = fault(e, key.getKeyId(), CANNOT_OPEN);
          // What may pass comes before what will not.
          if (fault == null || next.reason() == KEY_UNAVAILABLE) fault = next;
        }
      }
    }
    if (fault != null) throw fault;
    throw new CodecException(
        CANNOT_OPEN,
        "this payload needs the key "
            + listed(wrapped.stream().map(KmsKeys::named).toList())
            + ", and the codec has "
            + listed(readers.keySet()));
  }

  /** The listed keys that may open it: the very one, and replicas of it in other Regions. */
  private List<AwsKmsMrkAwareMasterKey> candidates(EncryptedDataKey edk) {
    List<AwsKmsMrkAwareMasterKey> found = new ArrayList<>();
    if (!PROVIDER.equals(edk.getProviderId())) return found;
    Matcher named = KEY_ARN.matcher(shown(edk.getProviderInformation()));
    if (!named.matches()) return found;
    AwsKmsMrkAwareMasterKey exact = readers.get(named.group());
    if (exact != null) found.add(exact);
    if (!named.group(3).startsWith("mrk-")) return found;
    readers.forEach(
        (arn, key) -> {
          Matcher own = KEY_ARN.matcher(arn);
          if (key != exact
              && own.matches()
              && own.group(2).equals(named.group(2))
              && own.group(3).equals(named.group(3))) found.add(key);
        });
    return found;
  }

  private static String named(EncryptedDataKey edk) {
    return PROVIDER.equals(edk.getProviderId())
        ? shown(edk.getProviderInformation())
        : shown(edk.getProviderId()) + "/…";
  }

  private static CodecException fault(RuntimeException error, String arn, CodecException.Reason refused) {
    Throwable cause = error instanceof AwsCryptoException && error.getCause() != null ? error.getCause() : error;
    AwsFault fault = AwsFault.of(cause);
    if (fault == null) return new CodecException(refused, "KMS gave no usable answer for the key " + arn);
    if (fault.mayPass())
      return new CodecException(KEY_UNAVAILABLE, "KMS cannot answer for the key " + arn + ": " + fault.told());
    return new CodecException(
        refused, "KMS refuses the key " + arn + ": " + fault.told(), REVOKING.contains(fault.told()));
  }
}
