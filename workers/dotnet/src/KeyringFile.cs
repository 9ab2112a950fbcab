using System.Text;
using System.Text.Json;
using AWS.Cryptography.MaterialProviders;

namespace TemporalCodec;

/// <summary>
/// The keyring file: wrapping keys for a machine without AWS, shared with the local codec server. All of its keys read,
/// its <c>current</c> writes, and a changed file is picked up within a second. While the file is gone, broken or open to
/// others, the keys stay as they were, and <see cref="Problem"/> says why.
/// </summary>
public sealed class KeyringFile : KeySource
{
    private const int LargestFile = 1_048_576;
    private const int LongestName = 256;
    private const int KeyLength = 32;

    /// <summary>Bytes behind the key's name in a raw AES keyring's provider info: tag length, IV length, IV.</summary>
    private const int InfoTail = 20;
    private const long MillisecondsBetweenLooks = 1000;

    private static readonly MaterialProviders Library = new(new MaterialProvidersConfig());

    private readonly string path;
    private readonly object gate = new();
    private string text;
    private Keyring keyring;
    private long nextLook;
    private volatile int generation;

    /// <summary>Initializes a new instance of the <see cref="KeyringFile"/> class.</summary>
    /// <param name="path">The file, such as <c>.codec-server/keyring.json</c>.</param>
    /// <exception cref="CodecException">It cannot be read at the start.</exception>
    public KeyringFile(string path)
    {
        this.path = path;
        text = ReadPrivateFile();
        keyring = Parse(text);
        nextLook = Environment.TickCount64 + MillisecondsBetweenLooks;
    }

    /// <summary>Gets why the file cannot be used now, or null when it can.</summary>
    public string? Problem { get; private set; }

    /// <inheritdoc/>
    internal override int Generation
    {
        get
        {
            Look();
            return generation;
        }
    }

    /// <inheritdoc/>
    internal override Task<DataKey> GenerateAsync(IReadOnlyDictionary<string, string> context)
    {
        var now = Look();
        var materials = now.Keys[now.Current].OnEncrypt(new OnEncryptInput
        {
            Materials = Library.InitializeEncryptionMaterials(new InitializeEncryptionMaterialsInput
            {
                AlgorithmSuiteId = Suites.Write,
                EncryptionContext = new(context),
                RequiredEncryptionContextKeys = new(),
            }),
        }).Materials;
        var wrapped = materials.EncryptedDataKeys
            .Select(it => new WrappedKey(it.KeyProviderId, it.KeyProviderInfo.ToArray(), it.Ciphertext.ToArray()))
            .ToList();
        return Task.FromResult(new DataKey(materials.PlaintextDataKey.ToArray(), wrapped));
    }

    /// <inheritdoc/>
    internal override Task<DataKey> UnwrapAsync(
        IReadOnlyList<WrappedKey> wrapped, IReadOnlyDictionary<string, string> context)
    {
        var now = Look();
        foreach (var edk in wrapped)
        {
            if (edk.Provider != now.Namespace || !now.Keys.TryGetValue(NameOf(edk), out var key)) continue;
            try
            {
                var materials = key.OnDecrypt(new OnDecryptInput
                {
                    Materials = Library.InitializeDecryptionMaterials(new InitializeDecryptionMaterialsInput
                    {
                        AlgorithmSuiteId = Suites.Write,
                        EncryptionContext = new(context),
                        RequiredEncryptionContextKeys = new(),
                    }),
                    EncryptedDataKeys = new()
                    {
                        new EncryptedDataKey
                        {
                            KeyProviderId = edk.Provider,
                            KeyProviderInfo = new MemoryStream(edk.Info),
                            Ciphertext = new MemoryStream(edk.Ciphertext),
                        },
                    },
                }).Materials;
                return Task.FromResult(new DataKey(materials.PlaintextDataKey.ToArray(), wrapped));
            }
            catch (Exception e) when (e is not CodecException)
            {
                throw new CodecException(
                    CodecFault.CannotOpen,
                    $"the key {now.Namespace}/{NameOf(edk)} does not open this payload: it was altered, or another key has that name");
            }
        }
        var wanted = wrapped.Select(it => $"{Names.Shown(it.Provider)}/{Names.Shown(NameOf(it))}");
        var present = now.Keys.Keys.Select(it => $"{now.Namespace}/{it}");
        throw new CodecException(
            CodecFault.CannotOpen,
            $"this payload needs the key {Names.Listed(wanted)}, and {path} has {Names.Listed(present)}");
    }

    private static string NameOf(WrappedKey edk) =>
        Encoding.UTF8.GetString(edk.Info, 0, Math.Max(edk.Info.Length - InfoTail, 0));

    private Keyring Look()
    {
        lock (gate)
        {
            if (Environment.TickCount64 < nextLook) return keyring;
            nextLook = Environment.TickCount64 + MillisecondsBetweenLooks;
            try
            {
                var read = ReadPrivateFile();
                if (read != text)
                {
                    keyring = Parse(read);
                    text = read;
                    generation++;
                }
                Problem = null;
            }
            catch (CodecException e)
            {
                Problem = e.Message;
            }
            return keyring;
        }
    }

    private string ReadPrivateFile()
    {
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists) throw Unusable("does not exist.");
            if (file.Length > LargestFile) throw Unusable($"is too large: {file.Length} bytes.");
            if (!OperatingSystem.IsWindows() && ((int)file.UnixFileMode & 0b000_111_111) != 0)
                throw Unusable($"can be read or changed by others: run \"chmod 600 {path}\".");
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable($"cannot be read ({e.GetType().Name}).");
        }
    }

    private CodecException Unusable(string why) => new(CodecFault.KeyringFile, $"The keyring {path} {why}");

    /// <summary>Names the place of what is wrong, and never what is written there.</summary>
    private CodecException Wrong(string what) => Unusable($"cannot be used: {what}.");

    private Keyring Parse(string document)
    {
        try
        {
            using var json = JsonDocument.Parse(document);
            var root = json.RootElement;
            Fields(root, "the keyring", "namespace", "current", "keys");
            var ns = Name(root.GetProperty("namespace"), "namespace");
            // The AWS Encryption SDK reserves this prefix: such a key would be taken for one of KMS.
            if (ns.StartsWith("aws-kms", StringComparison.Ordinal)) throw Wrong("namespace must not start with \"aws-kms\"");
            var current = Name(root.GetProperty("current"), "current");
            var list = root.GetProperty("keys");
            if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() == 0)
                throw Wrong("keys must be an array with at least one element");
            var keys = new Dictionary<string, IKeyring>(StringComparer.Ordinal);
            foreach (var (entry, index) in list.EnumerateArray().Select((it, i) => (it, i)))
            {
                var place = $"keys[{index}]";
                Fields(entry, place, "name", "key");
                var name = Name(entry.GetProperty("name"), $"{place}.name");
                var wrapping = Library.CreateRawAesKeyring(new CreateRawAesKeyringInput
                {
                    KeyNamespace = ns,
                    KeyName = name,
                    WrappingKey = new MemoryStream(Key(entry.GetProperty("key"), $"{place}.key")),
                    WrappingAlg = AesWrappingAlg.ALG_AES256_GCM_IV12_TAG16,
                });
                if (!keys.TryAdd(name, wrapping)) throw Wrong($"{place}.name stands there twice");
            }
            if (!keys.ContainsKey(current)) throw Wrong("current names no key of keys");
            return new(ns, current, keys);
        }
        catch (JsonException e)
        {
            throw Wrong($"it is not valid JSON at line {e.LineNumber + 1} column {e.BytePositionInLine + 1}");
        }
    }

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
            && key.Length == KeyLength
            && Convert.ToBase64String(key) == value.GetString())
        {
            return key;
        }
        throw Wrong($"{place} must be the base64 of {KeyLength} bytes, with its padding");
    }

    private sealed record Keyring(string Namespace, string Current, Dictionary<string, IKeyring> Keys);
}
