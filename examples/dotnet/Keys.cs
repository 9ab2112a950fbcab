using System.Text.Json;
using Amazon;
using Amazon.KeyManagementService;
using AWS.Cryptography.MaterialProviders;

namespace EncryptingWorker;

/// <summary>Where data keys come from.</summary>
public static class Keys
{
    private static readonly MaterialProviders Library = new(new MaterialProvidersConfig());

    /// <summary>AWS KMS, each data key for many payloads.</summary>
    public static IKeyring OfKms(string arn)
    {
        // arn:aws:kms:<region>:<account>:key/<id>
        var region = RegionEndpoint.GetBySystemName(arn.Split(':')[3]);
        return new ReusingKeyring(Library.CreateAwsKmsKeyring(new CreateAwsKmsKeyringInput
        {
            KmsClient = new AmazonKeyManagementServiceClient(region),
            KmsKeyId = arn,
        }));
    }

    /// <summary>The current key of a keyring file, such as the local codec server makes: development without AWS.</summary>
    public static IKeyring OfKeyring(string path)
    {
        using var keyring = JsonDocument.Parse(File.ReadAllText(path));
        var root = keyring.RootElement;
        var current = root.GetProperty("current").GetString();
        var key = root.GetProperty("keys").EnumerateArray().Single(it => it.GetProperty("name").GetString() == current);
        return Library.CreateRawAesKeyring(new CreateRawAesKeyringInput
        {
            KeyNamespace = root.GetProperty("namespace").GetString(),
            KeyName = current,
            WrappingKey = new MemoryStream(key.GetProperty("key").GetBytesFromBase64()),
            WrappingAlg = AesWrappingAlg.ALG_AES256_GCM_IV12_TAG16,
        });
    }
}

/// <summary>
/// Keeps the data keys of a keyring for five minutes or 10,000 payloads. The SDK for .NET has no cache of its
/// own for this: without it, every payload is a call to KMS. The algorithm derives a fresh key for every
/// message, so a data key may write many.
/// </summary>
public sealed class ReusingKeyring(IKeyring keyring) : KeyringBase
{
    private static readonly TimeSpan KeyLife = TimeSpan.FromMinutes(5);
    private const int MostWrites = 10_000;
    private const int MostEntries = 1_000;

    private sealed class Entry(byte[] key, List<EncryptedDataKey> wrapped)
    {
        public readonly byte[] Key = key;
        public readonly List<EncryptedDataKey> Wrapped = wrapped;
        public readonly DateTime Expires = DateTime.UtcNow + KeyLife;
        public int Uses;
    }

    private readonly object gate = new();
    private readonly Dictionary<string, Entry> entries = new();

    protected override OnEncryptOutput _OnEncrypt(OnEncryptInput input)
    {
        var materials = input.Materials;
        lock (gate)
        {
            var name = "write " + NameOf(materials.EncryptionContext);
            if (!entries.TryGetValue(name, out var known) || known.Expires < DateTime.UtcNow || known.Uses >= MostWrites)
            {
                var made = keyring.OnEncrypt(input).Materials;
                known = Keep(name, new Entry(made.PlaintextDataKey.ToArray(), made.EncryptedDataKeys));
            }
            known.Uses++;
            materials.PlaintextDataKey = new MemoryStream(known.Key);
            materials.EncryptedDataKeys = known.Wrapped;
        }
        return new OnEncryptOutput { Materials = materials };
    }

    protected override OnDecryptOutput _OnDecrypt(OnDecryptInput input)
    {
        var materials = input.Materials;
        lock (gate)
        {
            var wrapped = input.EncryptedDataKeys.Select(it =>
                $"{it.KeyProviderId} {Convert.ToBase64String(it.KeyProviderInfo.ToArray())} {Convert.ToBase64String(it.Ciphertext.ToArray())}");
            var name = "read " + string.Join(" ", wrapped) + " " + NameOf(materials.EncryptionContext);
            if (!entries.TryGetValue(name, out var known) || known.Expires < DateTime.UtcNow)
            {
                var opened = keyring.OnDecrypt(input).Materials;
                known = Keep(name, new Entry(opened.PlaintextDataKey.ToArray(), input.EncryptedDataKeys));
            }
            materials.PlaintextDataKey = new MemoryStream(known.Key);
        }
        return new OnDecryptOutput { Materials = materials };
    }

    private Entry Keep(string name, Entry entry)
    {
        if (entries.Count >= MostEntries) entries.Clear();
        return entries[name] = entry;
    }

    private static string NameOf(Dictionary<string, string> context) =>
        JsonSerializer.Serialize(new SortedDictionary<string, string>(context, StringComparer.Ordinal));
}
