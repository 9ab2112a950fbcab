package temporalcodec;

import static temporalcodec.CodecException.Reason.KEYRING_SECRET;
import static temporalcodec.CodecException.Reason.KEY_UNAVAILABLE;
import static temporalcodec.CodecException.Reason.OPTIONS;
import static temporalcodec.Names.shown;

import com.amazonaws.encryptionsdk.CryptoAlgorithm;
import com.amazonaws.encryptionsdk.DataKey;
import com.amazonaws.encryptionsdk.EncryptedDataKey;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keys of a keyring document that is a secret of AWS Secrets Manager: all of them read, its {@code current} writes, and
 * there is no call for a data key. Whoever may read the secret reads every namespace that it serves.
 *
 * <p>What was read counts for five minutes, and for an hour more while Secrets Manager cannot be reached. A secret that can
 * be reached and not used (deleted, no right, a slip in the document) ends with its five minutes: somebody may have meant to
 * revoke it.
 *
 * <p>The role needs {@code secretsmanager:GetSecretValue} on the secret, and the program {@code
 * software.amazon.awssdk:secretsmanager}, which this library does not bring along.
 */
public final class KeyringSecret implements KeySource {
  private static final Logger LOG = LoggerFactory.getLogger(KeyringSecret.class);
  private static final Pattern SECRET_ARN =
      Pattern.compile("arn:aws[a-z0-9-]*:secretsmanager:([a-z0-9-]+):[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+");
  private static final String KMS_PROVIDER = "aws-kms";

  /** How long what was read goes on after its time while the secret cannot be reached. */
  private static final long STALE_NANOS = Duration.ofHours(1).toNanos();

  /** Between two readings that an unknown key causes. */
  private static final long REFRESH_NANOS = Duration.ofSeconds(30).toNanos();

  /** Between two tries while the secret cannot be read. */
  private static final long RETRY_NANOS = Duration.ofSeconds(5).toNanos();

  /**
   * @param confirmed when the reading began that has confirmed it last
   */
  private record Known(Keyring keyring, String text, int generation, long confirmed) {}

  private record Failed(CodecException error, long nextTry) {}

  private final String arn;
  private final UnaryOperator<String> ask;
  private final long readNanos;
  private final LongSupplier nanos;
  private volatile Known known;
  private volatile Failed failed;

  private KeyringSecret(String arn, Duration readTime, UnaryOperator<String> ask, LongSupplier nanos) {
    this.arn = arn;
    this.ask = ask;
    this.readNanos = readTime.toNanos();
    this.nanos = nanos;
  }

  /**
   * @param arn the ARN of the secret
   * @throws CodecException when it is none, or the client for Secrets Manager is not on the class path
   */
  public static KeyringSecret of(String arn) {
    return of(arn, Duration.ofMinutes(5));
  }

  /**
   * @param readTime how long a version counts without being read again: the time for which a revoked key still decodes
   */
  public static KeyringSecret of(String arn, Duration readTime) {
    String region = regionOf(arn);
    try {
      return new KeyringSecret(arn, readTime, SecretsManager.reader(region), System::nanoTime);
    } catch (NoClassDefFoundError e) {
      throw new CodecException(
          OPTIONS, "KeyringSecret needs software.amazon.awssdk:secretsmanager: add it to the program's dependencies");
    }
  }

  /**
   * @param ask gives the text of the secret, null for none, or throws as the AWS client does
   */
  static KeyringSecret with(String arn, UnaryOperator<String> ask, LongSupplier nanos) {
    regionOf(arn);
    return new KeyringSecret(arn, Duration.ofMinutes(5), ask, nanos);
  }

  private static String regionOf(String arn) {
    Matcher matcher = SECRET_ARN.matcher(String.valueOf(arn));
    if (matcher.matches()) return matcher.group(1);
    throw new CodecException(
        OPTIONS,
        shown(String.valueOf(arn))
            + " is not the ARN of a secret, such as arn:aws:secretsmanager:eu-central-1:111122223333:secret:codec-keyring-a1b2c3");
  }

  @Override
  public boolean isLocal() {
    return false;
  }

  @Override
  public boolean asksForEachKey() {
    return false;
  }

  @Override
  public int generation() {
    Known now = known;
    return now != null && counts(now) ? now.generation() : UNCHECKED;
  }

  @Override
  public void check() {
    get(Long.MAX_VALUE);
  }

  @Override
  public DataKey<?> generate(Map<String, String> context) {
    return get(Long.MAX_VALUE).generate(context);
  }

  @Override
  public DataKey<?> unwrap(
      Collection<? extends EncryptedDataKey> wrapped, CryptoAlgorithm algorithm, Map<String, String> context) {
    Keyring keyring = get(Long.MAX_VALUE);
    if (!keyring.hasKeyFor(wrapped) && wrapped.stream().anyMatch(it -> !KMS_PROVIDER.equals(it.getProviderId())))
      keyring = get(REFRESH_NANOS);
    return keyring.unwrap(wrapped, algorithm, context, "the secret " + arn);
  }

  private boolean counts(Known it) {
    long age = nanos.getAsLong() - it.confirmed();
    if (age < readNanos) return true;
    Failed last = failed;
    return last != null && mayPass(last) && isPaused(last) && age < readNanos + STALE_NANOS;
  }

  private static boolean mayPass(Failed last) {
    return last.error().reason() == KEY_UNAVAILABLE;
  }

  private boolean isPaused(Failed last) {
    return last != null && nanos.getAsLong() - last.nextTry() < 0;
  }

  /** The keyring, read anew when it was confirmed longer ago than {@code atMost} and a reading may be tried. */
  private Keyring get(long atMost) {
    Known before = known;
    if (before != null && counts(before) && (isYoung(before, atMost) || isPaused(failed))) return before.keyring();
    synchronized (this) {
      Known now = known;
      if (now != null && now != before && counts(now)) return now.keyring();
      return isPaused(failed) ? knownOrThrow(failed) : read();
    }
  }

  private boolean isYoung(Known it, long atMost) {
    return atMost == Long.MAX_VALUE || nanos.getAsLong() - it.confirmed() < atMost;
  }

  private Keyring read() {
    long started = nanos.getAsLong();
    try {
      String text = ask();
      Known before = known;
      Known now =
          before != null && before.text().equals(text)
              ? new Known(before.keyring(), text, before.generation(), started)
              : new Known(parse(text), text, before == null ? 0 : before.generation() + 1, started);
      known = now;
      failed = null;
      return now.keyring();
    } catch (CodecException e) {
      Failed last = failed;
      if (last == null || !last.error().getMessage().equals(e.getMessage())) LOG.warn("{}", e.getMessage());
      failed = new Failed(e, nanos.getAsLong() + RETRY_NANOS);
      return knownOrThrow(failed);
    }
  }

  private Keyring knownOrThrow(Failed last) {
    Known now = known;
    if (now != null && counts(now)) return now.keyring();
    throw new CodecException(last.error().reason(), last.error().getMessage());
  }

  private String ask() {
    String text;
    try {
      text = ask.apply(arn);
    } catch (RuntimeException e) {
      AwsFault fault = AwsFault.of(e);
      if (fault != null && !fault.mayPass())
        throw new CodecException(KEYRING_SECRET, "Secrets Manager refuses the secret " + arn + ": " + fault.told());
      throw new CodecException(
          KEY_UNAVAILABLE,
          "Secrets Manager cannot give the secret "
              + arn
              + ": "
              + (fault == null ? e.getClass().getSimpleName() : fault.told()));
    }
    if (text == null) throw new CodecException(KEYRING_SECRET, "the secret " + arn + " holds bytes, not text");
    return text;
  }

  private Keyring parse(String text) {
    try {
      return Keyring.parse(text);
    } catch (Keyring.WrongDocument e) {
      throw new CodecException(KEYRING_SECRET, "the secret " + arn + " cannot be used: " + e.getMessage());
    }
  }
}
