using System.Buffers.Binary;

namespace TemporalCodec;

/// <summary>
/// The checksums that end a zlib (RFC 1950) and a gzip stream (RFC 1952). The streams of .NET take a cut one for a whole one,
/// and do not look at what follows: whether the checksum of what came out stands at the very end tells both.
/// </summary>
internal static class Checksums
{
    private const uint AdlerBase = 65_521;

    /// <summary>CRC-32 of each byte, reflected, of the polynomial 0xEDB88320.</summary>
    private static readonly uint[] Crc = [.. Enumerable.Range(0, 256).Select(it =>
    {
        var value = (uint)it;
        for (var bit = 0; bit < 8; bit++) value = (value & 1) == 0 ? value >> 1 : (value >> 1) ^ 0xedb88320;
        return value;
    })];

    /// <summary>Whether a stream ends with the checksum of what it holds.</summary>
    public static bool End(string encoding, ReadOnlySpan<byte> stream, ReadOnlySpan<byte> inflated)
    {
        if (encoding == "binary/zlib")
            return stream.Length > sizeof(uint) && BinaryPrimitives.ReadUInt32BigEndian(stream[^sizeof(uint)..]) == Adler32(inflated);
        if (stream.Length <= 2 * sizeof(uint)) return false;
        var end = stream[^(2 * sizeof(uint))..];
        return BinaryPrimitives.ReadUInt32LittleEndian(end) == Crc32(inflated)
            && BinaryPrimitives.ReadUInt32LittleEndian(end[sizeof(uint)..]) == (uint)inflated.Length;
    }

    private static uint Adler32(ReadOnlySpan<byte> bytes)
    {
        uint low = 1, high = 0;
        foreach (var it in bytes)
        {
            low = (low + it) % AdlerBase;
            high = (high + low) % AdlerBase;
        }
        return (high << 16) | low;
    }

    private static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        var value = uint.MaxValue;
        foreach (var it in bytes) value = Crc[(byte)(value ^ it)] ^ (value >> 8);
        return ~value;
    }
}
