using System.IO.Compression;

namespace TemporalCodec;

/// <summary>
/// Compression as it stands inside encryption: a serialized payload, compressed. Reading only: <c>binary/zlib</c> as the Go
/// and Java SDKs' codec writes it, <c>binary/zstd</c> as TypeScript workers do, <c>binary/gzip</c> and
/// <c>binary/snappy</c> as Temporal's samples do.
/// </summary>
internal static class Compression
{
    /// <summary>Bytes that may come out of decompression in one call of the codec.</summary>
    internal sealed class Budget(int total)
    {
        /// <summary>Gets what is left.</summary>
        public int Left { get; private set; } = total;

        /// <summary>Counts bytes.</summary>
        public void Charge(long count)
        {
            if (count > Left)
            {
                throw new CodecException(
                    CodecFault.CannotOpen, $"a payload inflates past the {Left} bytes that are left of the limit");
            }
            Left -= (int)count;
        }
    }

    /// <summary>Whether an encoding is one of a compression.</summary>
    public static bool Reads(string encoding) =>
        encoding is "binary/zlib" or "binary/gzip" or "binary/zstd" or "binary/snappy";

    /// <summary>Inflates the data of a payload, counting against the budget.</summary>
    public static byte[] Inflate(string encoding, byte[] data, Budget budget)
    {
        if (encoding == "binary/snappy") return Snappy.Inflate(data, budget);
        if (data.Length == 0) throw Malformed(encoding);
        try
        {
            using var source = new MemoryStream(data);
            using Stream stream = encoding switch
            {
                "binary/zlib" => new ZLibStream(source, CompressionMode.Decompress),
                "binary/gzip" => new GZipStream(source, CompressionMode.Decompress),
                _ => new ZstdSharp.DecompressionStream(source),
            };
            using var inflated = new MemoryStream();
            var buffer = new byte[81_920];
            for (int count; (count = stream.Read(buffer, 0, buffer.Length)) > 0;)
            {
                budget.Charge(count);
                inflated.Write(buffer, 0, count);
            }
            var bytes = inflated.ToArray();
            return encoding == "binary/zstd" || Checksums.End(encoding, data, bytes) ? bytes : throw Malformed(encoding);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or ZstdSharp.ZstdException)
        {
            throw Malformed(encoding);
        }
    }

    /// <summary>What is told of a stream that is cut or altered.</summary>
    public static CodecException Malformed(string encoding) =>
        new(CodecFault.CannotOpen, $"a payload is not a valid {encoding["binary/".Length..]} stream");
}

/// <summary>The snappy block format, reading only (google/snappy, <c>format_description.txt</c>).</summary>
internal static class Snappy
{
    /// <summary>No block says more with less: a copy of 64 bytes takes 3.</summary>
    private const int LargestRatio = 32;

    /// <summary>Inflates a block.</summary>
    public static byte[] Inflate(byte[] block, Compression.Budget budget)
    {
        var at = 0;
        int Next() => at < block.Length ? block[at++] : throw Compression.Malformed("binary/snappy");
        long LittleEndian(int width)
        {
            long value = 0;
            for (var i = 0; i < width; i++) value |= (long)Next() << (8 * i);
            return value;
        }

        long length = 0;
        for (var i = 0; ; i++)
        {
            if (i == 5) throw Compression.Malformed("binary/snappy");
            var value = Next();
            length |= (long)(value & 0x7f) << (7 * i);
            if (value < 0x80) break;
        }
        if (length > (long)block.Length * LargestRatio) throw Compression.Malformed("binary/snappy");
        budget.Charge(length);
        var output = new byte[length];
        var end = 0;
        while (at < block.Length)
        {
            var tag = Next();
            int size;
            if ((tag & 3) == 0)
            {
                long literal = tag >> 2;
                if (literal >= 60) literal = LittleEndian((int)literal - 59);
                literal++;
                if (literal > block.Length - at || literal > output.Length - end)
                    throw Compression.Malformed("binary/snappy");
                size = (int)literal;
                Array.Copy(block, at, output, end, size);
                at += size;
            }
            else
            {
                long offset;
                if ((tag & 3) == 1)
                {
                    size = ((tag >> 2) & 7) + 4;
                    offset = ((tag >> 5) * 256L) + Next();
                }
                else
                {
                    size = (tag >> 2) + 1;
                    offset = LittleEndian((tag & 3) == 2 ? 2 : 4);
                }
                if (offset == 0 || offset > end || size > output.Length - end)
                    throw Compression.Malformed("binary/snappy");
                // Byte by byte: where source and target overlap, what was just written repeats.
                for (var i = 0; i < size; i++) output[end + i] = output[end + i - offset];
            }
            end += size;
        }
        return end == output.Length ? output : throw Compression.Malformed("binary/snappy");
    }
}
