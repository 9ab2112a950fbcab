using System.Buffers.Binary;
using System.Text;

namespace TemporalCodec;

/// <summary>
/// An encryption context in the one form that it has in a message header and as the associated data of a keyring: a count and
/// the pairs in ascending order of their keys' bytes, every length 16 bits. An empty context has no bytes.
/// </summary>
internal static class EncryptionContext
{
    /// <summary>UTF-8 that refuses what is not UTF-8, where the usual one puts in a replacement.</summary>
    public static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Writes a context.</summary>
    /// <exception cref="CodecException">A text is not Unicode, or the whole is longer than a header can say.</exception>
    public static byte[] Serialize(IReadOnlyDictionary<string, string> context)
    {
        if (context.Count == 0) return [];
        var output = new MemoryStream();
        try
        {
            var pairs = context.Select(it => (Key: Utf8.GetBytes(it.Key), Value: Utf8.GetBytes(it.Value))).ToList();
            pairs.Sort((one, other) => one.Key.AsSpan().SequenceCompareTo(other.Key));
            WriteLength(output, pairs.Count);
            foreach (var (key, value) in pairs)
            {
                WriteField(output, key);
                WriteField(output, value);
            }
        }
        catch (EncoderFallbackException)
        {
            throw Message.Malformed("the encryption context is not Unicode");
        }
        return output.Length <= ushort.MaxValue ? output.ToArray() : throw Message.Malformed("the encryption context is too long");
    }

    /// <summary>Reads a context, and refuses every other form of it.</summary>
    /// <exception cref="CodecException">It is cut, not in order, or not UTF-8.</exception>
    public static Dictionary<string, string> Parse(byte[] bytes)
    {
        var context = new Dictionary<string, string>(StringComparer.Ordinal);
        if (bytes.Length == 0) return context;
        var input = new Cursor(bytes);
        var count = input.UInt16();
        if (count == 0) throw Message.Malformed("an empty encryption context is written with bytes");
        var previous = Array.Empty<byte>();
        for (var i = 0; i < count; i++)
        {
            var key = input.Field();
            if (i > 0 && key.AsSpan().SequenceCompareTo(previous) <= 0)
                throw Message.Malformed("the keys of the encryption context are not in ascending order");
            previous = key;
            context.Add(Text(key), Text(input.Field()));
        }
        return input.At == bytes.Length ? context : throw Message.Malformed("bytes are left over after the encryption context");
    }

    /// <summary>Bytes that must be UTF-8.</summary>
    public static string Text(byte[] bytes)
    {
        try
        {
            return Utf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw Message.Malformed("a text of the message header is not UTF-8");
        }
    }

    /// <summary>Writes a field with its 16-bit length.</summary>
    public static void WriteField(Stream output, byte[] field)
    {
        WriteLength(output, field.Length);
        output.Write(field);
    }

    /// <summary>Writes a 16-bit number.</summary>
    public static void WriteLength(Stream output, int length)
    {
        if (length > ushort.MaxValue) throw Message.Malformed("a field is longer than a message header can say");
        Span<byte> bytes = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)length);
        output.Write(bytes);
    }
}

/// <summary>Reads forward through bytes, and never past their end.</summary>
internal sealed class Cursor(byte[] bytes, int at = 0)
{
    /// <summary>Gets the position of the next byte.</summary>
    public int At { get; private set; } = at;

    /// <summary>The next bytes.</summary>
    /// <exception cref="CodecException">There are fewer.</exception>
    public ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)(bytes.Length - At)) throw Message.Malformed("it ends early");
        At += (int)length;
        return bytes.AsSpan(At - (int)length, (int)length);
    }

    /// <summary>The next 8 bits.</summary>
    public byte Byte() => Take(1)[0];

    /// <summary>The next 16 bits.</summary>
    public ushort UInt16() => BinaryPrimitives.ReadUInt16BigEndian(Take(2));

    /// <summary>The next 32 bits.</summary>
    public uint UInt32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    /// <summary>The next 64 bits.</summary>
    public ulong UInt64() => BinaryPrimitives.ReadUInt64BigEndian(Take(8));

    /// <summary>A field behind its 16-bit length.</summary>
    public byte[] Field() => Take(UInt16()).ToArray();
}
