using System.Security.Cryptography;

namespace TemporalCodec;

/// <summary>
/// An AWS Encryption SDK message of version 2, in the two algorithm suites that commit to their data key: 0x0478, and 0x0578,
/// which signs too. Until <see cref="Open"/> succeeds, what it says is the claim of whoever wrote it. Specification:
/// aws-encryption-sdk-specification, data-format and framework/algorithm-suites.md.
/// </summary>
internal sealed class Message
{
    /// <summary>Length of data keys, derived keys and key commitments, in bytes.</summary>
    public const int KeyLength = 32;

    /// <summary>Length of the tag of AES-GCM, in bytes.</summary>
    public const int TagLength = 16;

    /// <summary>Length of the IV of AES-GCM, in bytes.</summary>
    public const int IvLength = 12;

    /// <summary>Wrapped keys that a message may have: each may cost its reader a call to KMS.</summary>
    public const int MaxWrappedKeys = 5;

    internal const byte Version = 2;
    internal const ushort Committed = 0x0478;
    internal const ushort Signed = 0x0578;
    internal const byte NonFramed = 1;
    internal const byte Framed = 2;
    internal const int IdLength = 32;

    private const string PublicKeyName = "aws-crypto-public-key";

    private readonly byte[] bytes;
    private readonly ushort suite;
    private readonly byte[] id;
    private readonly bool isFramed;
    private readonly uint frameLength;
    private readonly byte[] commitment;
    private readonly int headerLength;

    private Message(byte[] bytes)
    {
        this.bytes = bytes;
        var input = new Cursor(bytes);
        if (input.Byte() != Version) throw Malformed("it is not an AWS Encryption SDK message of version 2");
        suite = input.UInt16();
        if (suite is not (Committed or Signed))
            throw Malformed($"algorithm suite 0x{suite:x4} does not commit to its data key: only 0x0478 and 0x0578 do");
        id = input.Take(IdLength).ToArray();
        Context = EncryptionContext.Parse(input.Field());
        if (Context.ContainsKey(PublicKeyName) != (suite == Signed))
            throw Malformed("a message carries a public key exactly when its algorithm suite signs");
        Wrapped = WrappedKeys(input);
        var contentType = input.Byte();
        isFramed = contentType == Framed;
        if (!isFramed && contentType != NonFramed) throw Malformed("its content type is neither framed nor non-framed");
        frameLength = input.UInt32();
        if (isFramed == (frameLength == 0)) throw Malformed("the frame length does not fit the content type");
        commitment = input.Take(KeyLength).ToArray();
        headerLength = input.At;
        input.Take(TagLength);
    }

    /// <summary>Gets the encryption context that the writer claims.</summary>
    public IReadOnlyDictionary<string, string> Context { get; }

    /// <summary>Gets the data key, wrapped by one key or several.</summary>
    public IReadOnlyList<WrappedKey> Wrapped { get; }

    /// <summary>Reads the header of a message, without any key.</summary>
    /// <exception cref="CodecException">It is of another version or suite, not canonical, or cut.</exception>
    public static Message Parse(byte[] bytes) => new(bytes);

    /// <summary>What is told of bytes that are not a message.</summary>
    public static CodecException Malformed(string why) => new(CodecFault.CannotOpen, $"a payload is not a valid message: {why}");

    /// <summary>
    /// Decrypts the message. It checks, in this order, the key commitment, the tag of the header, every tag of the body, the
    /// signature where the suite has one, and that nothing follows. Specification: client-apis/decrypt.md.
    /// </summary>
    /// <exception cref="CodecException">One of them does not hold.</exception>
    public byte[] Open(byte[] dataKey)
    {
        using var derived = new MessageKeys(suite, dataKey, id);
        if (!CryptographicOperations.FixedTimeEquals(derived.Commitment, commitment))
            throw NotAuthentic("it is committed to another data key");
        var tag = bytes.AsSpan(headerLength, TagLength);
        Decrypt(derived.Cipher, new byte[IvLength], [], tag, [], bytes.AsSpan(0, headerLength), "the tag of its header");
        var input = new Cursor(bytes, headerLength + TagLength);
        var plaintext = isFramed ? OpenFrames(input, derived.Cipher) : OpenBlock(input, derived.Cipher);
        if (suite == Signed)
        {
            var body = bytes.AsSpan(0, input.At);
            if (!P384.Verify(Context[PublicKeyName], body, input.Field())) throw NotAuthentic("its signature does not verify");
        }
        return input.At == bytes.Length ? plaintext : throw Malformed("bytes follow its end");
    }

    private static List<WrappedKey> WrappedKeys(Cursor input)
    {
        var count = input.UInt16();
        if (count is 0 or > MaxWrappedKeys)
            throw Malformed($"it has {count} encrypted data keys, and 1 to {MaxWrappedKeys} are accepted");
        var keys = new List<WrappedKey>(count);
        for (var i = 0; i < count; i++)
            keys.Add(new(EncryptionContext.Text(input.Field()), input.Field(), input.Field()));
        return keys;
    }

    private static CodecException NotAuthentic(string why) =>
        new(CodecFault.CannotOpen, $"a payload is not an authentic message: {why}");

    private static void Decrypt(
        AesGcm cipher, ReadOnlySpan<byte> iv, ReadOnlySpan<byte> text, ReadOnlySpan<byte> tag, Span<byte> output,
        ReadOnlySpan<byte> associated, string what)
    {
        try
        {
            cipher.Decrypt(iv, text, tag, output, associated);
        }
        catch (AuthenticationTagMismatchException)
        {
            throw NotAuthentic($"{what} does not verify");
        }
    }

    /// <summary>
    /// A body of frames that are encrypted one by one. Their IVs are their sequence numbers, and their associated data holds
    /// message id, sequence number and length: no frame can be dropped, repeated or moved.
    /// </summary>
    private byte[] OpenFrames(Cursor input, AesGcm cipher)
    {
        var plaintext = new MemoryStream();
        for (uint sequence = 1; ; sequence++)
        {
            var number = input.UInt32();
            var isFinal = number == MessageWriter.FinalFrame;
            if (isFinal) number = input.UInt32();
            if (number != sequence) throw Malformed("a frame is out of order");
            var iv = input.Take(IvLength);
            var length = isFinal ? input.UInt32() : frameLength;
            if (length > frameLength) throw Malformed("the final frame is longer than the frame length");
            var label = isFinal ? MessageWriter.FinalFrameLabel : MessageWriter.FrameLabel;
            plaintext.Write(OpenFrame(input, cipher, iv, sequence, label, length));
            if (isFinal) return plaintext.ToArray();
        }
    }

    private byte[] OpenBlock(Cursor input, AesGcm cipher)
    {
        var iv = input.Take(IvLength);
        return OpenFrame(input, cipher, iv, 1, MessageWriter.SingleBlockLabel, input.UInt64());
    }

    private byte[] OpenFrame(Cursor input, AesGcm cipher, ReadOnlySpan<byte> iv, uint sequence, string label, ulong length)
    {
        var sealedText = input.Take(length);
        var tag = input.Take(TagLength);
        if (!iv.SequenceEqual(MessageWriter.SequenceIv(sequence))) throw Malformed("the IV of a frame is not its sequence number");
        var plaintext = new byte[length];
        var associated = MessageWriter.FrameAad(id, label, sequence, length);
        Decrypt(cipher, iv, sealedText, tag, plaintext, associated, "a tag of its body");
        return plaintext;
    }
}
