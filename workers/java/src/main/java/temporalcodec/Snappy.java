package temporalcodec;

/**
 * The snappy block format, reading only (google/snappy, {@code format_description.txt}). Written here because what is
 * read is not trusted: no length is believed before the block can reach it.
 */
final class Snappy {
  /** No block says more with less: a copy of 64 bytes takes 3. */
  private static final int LARGEST_RATIO = 32;

  private final byte[] block;
  private int at;

  private Snappy(byte[] block) {
    this.block = block;
  }

  static byte[] inflate(byte[] block, Compression.Budget budget) {
    return new Snappy(block).inflate(budget);
  }

  private byte[] inflate(Compression.Budget budget) {
    long length = length();
    if (length > (long) block.length * LARGEST_RATIO) throw malformed();
    budget.charge((int) Math.min(length, Integer.MAX_VALUE));
    byte[] out = new byte[(int) length];
    int end = 0;
    while (at < block.length) {
      int tag = next();
      int size;
      if ((tag & 3) == 0) {
        long literal = tag >>> 2;
        if (literal >= 60) literal = littleEndian((int) literal - 59);
        literal++;
        if (literal > block.length - at || literal > out.length - end) throw malformed();
        size = (int) literal;
        System.arraycopy(block, at, out, end, size);
        at += size;
      } else {
        long offset;
        if ((tag & 3) == 1) {
          size = (tag >>> 2 & 7) + 4;
          offset = (tag >>> 5) * 256L + next();
        } else {
          size = (tag >>> 2) + 1;
          offset = littleEndian((tag & 3) == 2 ? 2 : 4);
        }
        if (offset == 0 || offset > end || size > out.length - end) throw malformed();
        // Byte by byte: where source and target overlap, what was just written repeats.
        for (int i = 0; i < size; i++) out[end + i] = out[end + i - (int) offset];
      }
      end += size;
    }
    if (end != out.length) throw malformed();
    return out;
  }

  private long length() {
    long length = 0;
    for (int i = 0; i < 5; i++) {
      int value = next();
      length |= (long) (value & 0x7f) << (7 * i);
      if (value < 0x80) return length;
    }
    throw malformed();
  }

  private long littleEndian(int width) {
    long value = 0;
    for (int i = 0; i < width; i++) value |= (long) next() << (8 * i);
    return value;
  }

  private int next() {
    if (at >= block.length) throw malformed();
    return block[at++] & 0xff;
  }

  private static CodecException malformed() {
    return Compression.malformed("binary/snappy");
  }
}
