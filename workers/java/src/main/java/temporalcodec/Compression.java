package temporalcodec;

import static temporalcodec.CodecException.Reason.CANNOT_OPEN;

import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Set;
import java.util.zip.GZIPInputStream;
import java.util.zip.Inflater;
import java.util.zip.InflaterInputStream;

/**
 * Compression as it stands inside encryption: a serialized payload, compressed. Reading only: {@code binary/zlib} as the
 * Go and Java SDKs' codec writes it, {@code binary/zstd} as TypeScript workers do, {@code binary/gzip} and {@code
 * binary/snappy} as Temporal's samples do.
 */
final class Compression {
  /** Window that covers every usual level of zstd, as a power of two. */
  private static final int ZSTD_WINDOW_LOG = 27;

  private static final Set<String> ENCODINGS =
      Set.of("binary/zlib", "binary/gzip", "binary/zstd", "binary/snappy");

  /** Bytes that may come out of decompression in one call of the codec. */
  static final class Budget {
    private int left;

    Budget(int total) {
      this.left = total;
    }

    void charge(int count) {
      if (count > left)
        throw new CodecException(
            CANNOT_OPEN, "a payload inflates past the " + left + " bytes that are left of the limit");
      left -= count;
    }
  }

  private Compression() {}

  static boolean reads(String encoding) {
    return ENCODINGS.contains(encoding);
  }

  /**
   * Inflates the data of a payload, counting against the budget.
   *
   * @throws CodecException when it inflates past the budget, or is not exactly one valid stream
   */
  static byte[] inflate(String encoding, byte[] data, Budget budget) {
    if (encoding.equals("binary/snappy")) return Snappy.inflate(data, budget);
    if (data.length == 0) throw malformed(encoding);
    try (InputStream stream = open(encoding, data)) {
      byte[] inflated = stream.readNBytes((int) Math.min((long) budget.left + 1, Integer.MAX_VALUE - 8));
      budget.charge(inflated.length);
      // To the end, where checksums are compared and what is behind them shows.
      if (stream.read() != -1) throw malformed(encoding);
      return inflated;
    } catch (IOException e) {
      throw malformed(encoding);
    }
  }

  private static InputStream open(String encoding, byte[] data) throws IOException {
    return switch (encoding) {
      case "binary/gzip" -> new WholeGzip(data);
      case "binary/zlib" -> new WholeZlib(data);
      default ->
          new ZstdInputStreamNoFinalizer(new ByteArrayInputStream(data)).setLongMax(ZSTD_WINDOW_LOG);
    };
  }

  /** Refuses bytes behind the stream, which the JDK leaves unread. All data is in its buffer. */
  private static final class WholeZlib extends InflaterInputStream {
    WholeZlib(byte[] data) {
      super(new ByteArrayInputStream(data), new Inflater(), data.length);
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      int count = super.read(bytes, offset, length);
      if (count == -1 && inf.getRemaining() > 0) throw new IOException("bytes behind the stream");
      return count;
    }

    @Override
    public void close() throws IOException {
      inf.end();
      super.close();
    }
  }

  /** The same, behind its trailer. */
  private static final class WholeGzip extends GZIPInputStream {
    private static final int TRAILER = 8;

    WholeGzip(byte[] data) throws IOException {
      super(new ByteArrayInputStream(data), data.length);
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      int count = super.read(bytes, offset, length);
      if (count == -1 && inf.getRemaining() > TRAILER) throw new IOException("bytes behind the stream");
      return count;
    }
  }

  static CodecException malformed(String encoding) {
    return new CodecException(
        CANNOT_OPEN, "a payload is not exactly one valid " + encoding.substring("binary/".length()) + " stream");
  }
}
