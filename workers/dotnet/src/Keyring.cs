using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace TemporalCodec;

/// <summary>
/// A raw AES keyring of the AWS Encryption SDK with several keys: all of them read, its <c>current</c> writes. Specification:
/// framework/raw-aes-keyring.md. It never changes; where it comes from, another one takes its place.
/// </summary>
internal sealed class Keyring
{
    private const int LongestName = 256;
    private const int TagBits = Message.TagLength * 8;

    /// <summary>Bytes behind the name of the key in a provider info: bits of the tag, length of the IV, IV.</summary>
    private const int InfoTail = sizeof(int) + sizeof(int) + Message.IvLength;

    private readonly string ns;
    private readonly string current;
    private readonly Dictionary<string, byte[]> keys = new(StringComparer.Ordinal);
    private readonly string origin;

    /// <summary>Initializes a new instance of the <see cref="Keyring"/> class from its document.</summary>
    /// <param name="document">The JSON.</param>
    /// <param name="origin">What the document is, for errors, such as <c>the keyring /path</c>.</param>
    /// <exception cref="CodecException">It is not a keyring. The message names the place, and never what is written there.</exception>
    public Keyring(string document, string origin)
    {
        this.origin = origin;
        try
        {
            using var json = JsonDocument.Parse(document);
            var root = json.RootElement;
            Fields(root, "the keyring", "namespace", "current", "keys");
            ns = Name(root.GetProperty("namespace"), "namespace");
            // The AWS Encryption SDK reserves this prefix: such a key would be taken for one of KMS.
            if (ns.StartsWith("aws-kms", StringComparison.Ordinal)) throw Wrong("namespace must not start with \"aws-kms\"");
            current = Name(root.GetProperty("current"), "current");
            var list = root.GetProperty("keys");
            if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() == 0)
                throw Wrong("keys must be an array with at least one element");
            foreach (var (entry, index) in list.EnumerateArray().Select((it, i) => (it, i)))
            {
                var place = $"keys[{index}]";
                Fields(entry, place, "name", "key");
                var name = Name(entry.GetProperty("name"), $"{place}.name");
                if (!keys.TryAdd(name, Key(entry.GetProperty("key"), $"{place}.key")))
                    throw Wrong($"{place}.name stands there twice");
            }
        }
        catch (JsonException e)
        {
            throw Wrong($"it is not valid JSON at line {e.LineNumber + 1} column {e.BytePositionInLine + 1}");
        }
        if (!keys.ContainsKey(current)) throw Wrong("current names no key of keys");
    }

    /// <summary>Makes a data key and wraps it with the key that writes.</summary>
    public DataKey Generate(IReadOnlyDictionary<string, string> context)
    {
        var plaintext = RandomNumberGenerator.GetBytes(Message.KeyLength);
        var name = Encoding.UTF8.GetBytes(current);
        var info = new byte[name.Length + InfoTail];
        name.CopyTo(info, 0);
        var tail = info.AsSpan(name.Length);
        BinaryPrimitives.WriteInt32BigEndian(tail, TagBits);
        BinaryPrimitives.WriteInt32BigEndian(tail[sizeof(int)..], Message.IvLength);
        var iv = tail[^Message.IvLength..];
        RandomNumberGenerator.Fill(iv);
        var ciphertext = new byte[plaintext.Length + Message.TagLength];
        using var cipher = new AesGcm(keys[current], Message.TagLength);
        cipher.Encrypt(
            iv, plaintext, ciphertext.AsSpan(0, plaintext.Length), ciphertext.AsSpan(plaintext.Length),
            EncryptionContext.Serialize(context));
        return new(plaintext, [new WrappedKey(ns, info, ciphertext)]);
    }

    /// <summary>Whether a key of this keyring has a name that the message asks for.</summary>
    public bool Opens(IReadOnlyList<WrappedKey> wrapped) => wrapped.Any(it => NameOf(it) is { } name && keys.ContainsKey(name));

    /// <summary>Unwraps the data key of a message.</summary>
    /// <exception cref="CodecException">No key has the name, or the one that has it does not open it.</exception>
    public DataKey Unwrap(IReadOnlyList<WrappedKey> wrapped, IReadOnlyDictionary<string, string> context)
    {
        foreach (var it in wrapped)
        {
            if (NameOf(it) is not { } name || !keys.TryGetValue(name, out var key)) continue;
            var plaintext = new byte[Message.KeyLength];
            try
            {
                using var cipher = new AesGcm(key, Message.TagLength);
                cipher.Decrypt(
                    it.Info.AsSpan(it.Info.Length - Message.IvLength), it.Ciphertext.AsSpan(0, Message.KeyLength),
                    it.Ciphertext.AsSpan(Message.KeyLength), plaintext, EncryptionContext.Serialize(context));
                return new(plaintext, wrapped);
            }
            catch (AuthenticationTagMismatchException)
            {
                throw new CodecException(
                    CodecFault.CannotOpen,
                    $"the key {ns}/{name} does not open this payload: it was altered, or another key has that name");
            }
        }
        var wanted = wrapped.Select(it => Names.Shown(NameOf(it) is { } name ? $"{ns}/{name}" : it.Provider));
        throw new CodecException(
            CodecFault.CannotOpen,
            $"this payload needs the key {Names.Listed(wanted)}, and {origin} has {Names.Listed(keys.Keys.Select(it => $"{ns}/{it}"))}");
    }

    /// <summary>Which key of this keyring wrapped a data key, as its writer claims; null when it is of another keyring.</summary>
    private string? NameOf(WrappedKey wrapped)
    {
        var end = wrapped.Info.Length - InfoTail;
        if (wrapped.Provider != ns || end < 0 || wrapped.Ciphertext.Length != Message.KeyLength + Message.TagLength) return null;
        var tail = wrapped.Info.AsSpan(end);
        if (BinaryPrimitives.ReadInt32BigEndian(tail) != TagBits) return null;
        if (BinaryPrimitives.ReadInt32BigEndian(tail[sizeof(int)..]) != Message.IvLength) return null;
        return Encoding.UTF8.GetString(wrapped.Info, 0, end);
    }

    private CodecException Wrong(string what) => new(CodecFault.KeyringUnusable, $"{origin} cannot be used: {what}");

    private void Fields(JsonElement value, string place, params string[] names)
    {
        if (value.ValueKind != JsonValueKind.Object)
            throw Wrong($"{place} must be an object with {string.Join(", ", names)}");
        var present = value.EnumerateObject().Select(it => it.Name).Order(StringComparer.Ordinal);
        if (!present.SequenceEqual(names.Order(StringComparer.Ordinal)))
            throw Wrong($"{place} must have the fields {string.Join(", ", names)}, and no others");
    }

    private string Name(JsonElement value, string place)
    {
        var name = value.ValueKind == JsonValueKind.String ? value.GetString()! : string.Empty;
        if (name.Length is 0 or > LongestName || name.Any(char.IsControl))
            throw Wrong($"{place} must be a printable text of 1 to {LongestName} characters");
        return name;
    }

    private byte[] Key(JsonElement value, string place)
    {
        if (value.ValueKind == JsonValueKind.String
            && value.TryGetBytesFromBase64(out var key)
            && key.Length == Message.KeyLength
            && Convert.ToBase64String(key) == value.GetString())
        {
            return key;
        }
        throw Wrong($"{place} must be the base64 of {Message.KeyLength} bytes, with its padding");
    }
}
