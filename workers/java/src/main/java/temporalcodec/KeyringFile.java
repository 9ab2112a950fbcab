package temporalcodec;

import static temporalcodec.CodecException.Reason.KEYRING_FILE;

import com.amazonaws.encryptionsdk.CryptoAlgorithm;
import com.amazonaws.encryptionsdk.DataKey;
import com.amazonaws.encryptionsdk.EncryptedDataKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keyring file: wrapping keys for a machine without AWS, shared with the local codec server. All of its keys read,
 * its {@code current} writes, and a changed file is picked up within a second. While the file is gone, broken or open to
 * others, the keys stay as they were for five minutes, and the log says why; then nothing is read or written.
 */
public final class KeyringFile implements KeySource {
  private static final Logger LOG = LoggerFactory.getLogger(KeyringFile.class);
  private static final int LARGEST_FILE = 1_048_576;

  private static final long NANOS_BETWEEN_LOOKS = 1_000_000_000L;
  /** How long what a file held counts while it cannot be used: somebody may have wanted to take a key out of it. */
  private static final long NANOS_KEPT = 300_000_000_000L;

  private final Path path;
  private final LongSupplier nanos;
  private volatile Keyring keyring;
  private volatile int generation;
  private volatile long nextLook;
  private volatile long usableAt;
  private volatile String problem;
  private String text;

  private KeyringFile(Path path, LongSupplier nanos) {
    this.path = path;
    this.nanos = nanos;
    this.text = readPrivateFile();
    this.keyring = parse(text);
    this.usableAt = nanos.getAsLong();
    this.nextLook = usableAt + NANOS_BETWEEN_LOOKS;
  }

  /**
   * @param path the file, such as {@code .codec-server/keyring.json}
   * @throws CodecException when it cannot be read at the start
   */
  public static KeyringFile at(Path path) {
    return new KeyringFile(path, System::nanoTime);
  }

  static KeyringFile at(Path path, LongSupplier nanos) {
    return new KeyringFile(path, nanos);
  }

  @Override
  public boolean isLocal() {
    return true;
  }

  @Override
  public boolean asksForEachKey() {
    return false;
  }

  @Override
  public void check() {
    look();
  }

  @Override
  public int generation() {
    look();
    return generation;
  }

  @Override
  public DataKey<?> generate(Map<String, String> context) {
    look();
    return keyring.generate(context);
  }

  @Override
  public DataKey<?> unwrap(
      Collection<? extends EncryptedDataKey> wrapped, CryptoAlgorithm algorithm, Map<String, String> context) {
    look();
    return keyring.unwrap(wrapped, algorithm, context, path.toString());
  }

  private void look() {
    if (nanos.getAsLong() - nextLook >= 0) readAgain();
    String wrong = problem;
    if (wrong == null) usableAt = nanos.getAsLong();
    else if (nanos.getAsLong() - usableAt >= NANOS_KEPT) throw new CodecException(KEYRING_FILE, wrong);
  }

  private void readAgain() {
    synchronized (this) {
      if (nanos.getAsLong() - nextLook < 0) return;
      nextLook = nanos.getAsLong() + NANOS_BETWEEN_LOOKS;
      try {
        String read = readPrivateFile();
        if (!read.equals(text)) {
          keyring = parse(read);
          text = read;
          generation++;
        }
        problem = null;
      } catch (CodecException e) {
        if (!e.getMessage().equals(problem))
          LOG.warn("{} The keys stay as they were for five minutes at most.", e.getMessage());
        problem = e.getMessage();
      }
    }
  }

  private String readPrivateFile() {
    try {
      if (!Files.isRegularFile(path)) {
        if (Files.notExists(path)) throw new NoSuchFileException(path.toString());
        throw unusable("is not a file.");
      }
      if (Files.size(path) > LARGEST_FILE) throw unusable("is too large: " + Files.size(path) + " bytes.");
      PosixFileAttributeView view = Files.getFileAttributeView(path, PosixFileAttributeView.class);
      // Windows has no such permissions.
      if (view != null) {
        Set<PosixFilePermission> permissions = view.readAttributes().permissions();
        String shown = PosixFilePermissions.toString(permissions);
        if (!shown.endsWith("------"))
          throw unusable("can be read or changed by others (" + shown + "): run \"chmod 600 " + path + "\".");
      }
      return Files.readString(path);
    } catch (NoSuchFileException e) {
      throw unusable("does not exist.");
    } catch (IOException e) {
      throw unusable("cannot be read (" + e.getClass().getSimpleName() + ").");
    }
  }

  private CodecException unusable(String why) {
    return new CodecException(KEYRING_FILE, "The keyring " + path + " " + why);
  }

  private Keyring parse(String document) {
    try {
      return Keyring.parse(document);
    } catch (Keyring.WrongDocument e) {
      throw unusable("cannot be used: " + e.getMessage() + ".");
    }
  }
}
