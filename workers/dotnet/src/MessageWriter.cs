using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace TemporalCodec;

/// <summary>The key and the commitment of one message: HKDF-SHA-512 (RFC 5869) with the message id as salt.</summary>
internal sealed class MessageKeys : IDisposable
{
    public MessageKeys(ushort suite, byte[] dataKey, byte[] id)
    {
        byte[] derive = [(byte)(suite >> 8), (byte)suite, .. "DERIVEKEY"u8];
        var key = HKDF.DeriveKey(HashAlgorithmName.SHA512, dataKey, Message.KeyLength, id, derive);
        Cipher = new AesGcm(key, Message.TagLength);
        CryptographicOperations.ZeroMemory(key);
        Commitment = HKDF.DeriveKey(HashAlgorithmName.SHA512, dataKey, Message.KeyLength, id, "COMMITKEY"u8.ToArray());
    }

    /// <summary>Gets AES-256-GCM under the key of the message.</summary>
    public AesGcm Cipher { get; }

    /// <summary>Gets what commits the message to its data key.</summary>
    public byte[] Commitment { get; }

    /// <inheritdoc/>
    public void Dispose() => Cipher.Dispose();
}

/// <summary>Writes messages of the suite 0x0478. Specification: client-apis/encrypt.md.</summary>
internal static class MessageWriter
{
    internal const uint FinalFrame = 0xffffffff;
    internal const string FrameLabel = "AWSKMSEncryptionClient Frame";
    internal const string FinalFrameLabel = "AWSKMSEncryptionClient Final Frame";
    internal const string SingleBlockLabel = "AWSKMSEncryptionClient Single Block";

    private const int UsualFrame = 4096;

    /// <summary>
    /// Writes one message whose body is one frame, under a key derived for it alone: a data key may write any number of them.
    /// </summary>
    /// <exception cref="CodecException">The context or a wrapped key is longer than a header can say.</exception>
    public static byte[] Seal(byte[] plaintext, DataKey key, IReadOnlyDictionary<string, string> context)
    {
        var id = RandomNumberGenerator.GetBytes(Message.IdLength);
        using var derived = new MessageKeys(Message.Committed, key.Plaintext, id);
        using var output = new MemoryStream();
        output.WriteByte(Message.Version);
        EncryptionContext.WriteLength(output, Message.Committed);
        output.Write(id);
        EncryptionContext.WriteField(output, EncryptionContext.Serialize(context));
        EncryptionContext.WriteLength(output, key.Wrapped.Count);
        foreach (var wrapped in key.Wrapped)
        {
            EncryptionContext.WriteField(output, Encoding.UTF8.GetBytes(wrapped.Provider));
            EncryptionContext.WriteField(output, wrapped.Info);
            EncryptionContext.WriteField(output, wrapped.Ciphertext);
        }
        output.WriteByte(Message.Framed);
        Write32(output, (uint)Math.Max(UsualFrame, plaintext.Length));
        output.Write(derived.Commitment);
        var tag = new byte[Message.TagLength];
        derived.Cipher.Encrypt(new byte[Message.IvLength], Array.Empty<byte>(), Array.Empty<byte>(), tag, output.ToArray());
        output.Write(tag);

        var iv = SequenceIv(1);
        Write32(output, FinalFrame);
        Write32(output, 1);
        output.Write(iv);
        Write32(output, (uint)plaintext.Length);
        var text = new byte[plaintext.Length];
        derived.Cipher.Encrypt(iv, plaintext, text, tag, FrameAad(id, FinalFrameLabel, 1, (ulong)plaintext.Length));
        output.Write(text);
        output.Write(tag);
        return output.ToArray();
    }

    /// <summary>The IV of a frame: its sequence number.</summary>
    internal static byte[] SequenceIv(uint sequence)
    {
        var iv = new byte[Message.IvLength];
        BinaryPrimitives.WriteUInt32BigEndian(iv.AsSpan(Message.IvLength - sizeof(uint)), sequence);
        return iv;
    }

    /// <summary>What the tag of a frame authenticates besides its text.</summary>
    internal static byte[] FrameAad(byte[] id, string label, uint sequence, ulong length)
    {
        var associated = new byte[id.Length + label.Length + sizeof(uint) + sizeof(ulong)];
        id.CopyTo(associated, 0);
        Encoding.ASCII.GetBytes(label).CopyTo(associated, id.Length);
        var numbers = associated.AsSpan(id.Length + label.Length);
        BinaryPrimitives.WriteUInt32BigEndian(numbers, sequence);
        BinaryPrimitives.WriteUInt64BigEndian(numbers[sizeof(uint)..], length);
        return associated;
    }

    private static void Write32(Stream output, uint value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        output.Write(bytes);
    }
}
