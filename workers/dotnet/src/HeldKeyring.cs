using AWS.Cryptography.MaterialProviders;

namespace TemporalCodec;

/// <summary>What is written: AES-256-GCM with key commitment and without a signature, 0x0478.</summary>
internal static class Suites
{
    public static readonly AlgorithmSuiteId Write = new()
    {
        ESDK = ESDKAlgorithmSuiteId.ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
    };
}

/// <summary>
/// Gives the library the data key of one message. What goes wrong is kept here as well as thrown: the library wraps what
/// a keyring throws.
/// </summary>
internal sealed class HeldKeyring : KeyringBase
{
    private readonly DataKey? toWrite;
    private readonly Func<IReadOnlyList<WrappedKey>, IReadOnlyDictionary<string, string>, DataKey?>? toRead;

    /// <summary>Initializes a new instance of the <see cref="HeldKeyring"/> class that writes.</summary>
    public HeldKeyring(DataKey key) => toWrite = key;

    /// <summary>Initializes a new instance of the <see cref="HeldKeyring"/> class that reads.</summary>
    /// <param name="find">Finds a key in memory, after it has checked the namespace; null when it has to be fetched.</param>
    public HeldKeyring(Func<IReadOnlyList<WrappedKey>, IReadOnlyDictionary<string, string>, DataKey?> find) => toRead = find;

    /// <summary>Gets the wrapped keys and the context of a key that was not in memory.</summary>
    public (IReadOnlyList<WrappedKey> Wrapped, IReadOnlyDictionary<string, string> Context)? Missing { get; private set; }

    /// <summary>Gets what the check of the namespace said.</summary>
    public CodecException? Refusal { get; private set; }

    /// <inheritdoc/>
    protected override OnEncryptOutput _OnEncrypt(OnEncryptInput input)
    {
        var materials = input.Materials;
        materials.PlaintextDataKey = new MemoryStream(toWrite!.Plaintext);
        materials.EncryptedDataKeys = toWrite.Wrapped
            .Select(it => new EncryptedDataKey
            {
                KeyProviderId = it.Provider,
                KeyProviderInfo = new MemoryStream(it.Info),
                Ciphertext = new MemoryStream(it.Ciphertext),
            })
            .ToList();
        return new OnEncryptOutput { Materials = materials };
    }

    /// <inheritdoc/>
    protected override OnDecryptOutput _OnDecrypt(OnDecryptInput input)
    {
        var materials = input.Materials;
        var wrapped = input.EncryptedDataKeys
            .Select(it => new WrappedKey(it.KeyProviderId, it.KeyProviderInfo.ToArray(), it.Ciphertext.ToArray()))
            .ToList();
        try
        {
            if (toRead!(wrapped, materials.EncryptionContext) is { } key)
            {
                materials.PlaintextDataKey = new MemoryStream(key.Plaintext);
                return new OnDecryptOutput { Materials = materials };
            }
        }
        catch (CodecException e)
        {
            Refusal = e;
            throw;
        }
        Missing = (wrapped, new Dictionary<string, string>(materials.EncryptionContext));
        throw new KeyNotFoundException("the data key has to be fetched first");
    }
}
