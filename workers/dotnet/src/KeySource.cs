namespace TemporalCodec;

/// <summary>A data key as a message carries it.</summary>
internal sealed record WrappedKey(string Provider, byte[] Info, byte[] Ciphertext)
{
    /// <summary>Gets the provider info as text that may stand in an error.</summary>
    public string ShownInfo => Names.Shown(System.Text.Encoding.UTF8.GetString(Info));
}

/// <summary>A data key, and how it is wrapped.</summary>
internal sealed record DataKey(byte[] Plaintext, IReadOnlyList<WrappedKey> Wrapped);

/// <summary>
/// Where data keys come from: <see cref="KmsKeys"/>, <see cref="KeyringFile"/> or <see cref="KeyringSecret"/>.
/// </summary>
public abstract class KeySource
{
    private protected KeySource()
    {
    }

    /// <summary>Gets whether every key that is not in memory costs a call.</summary>
    internal virtual bool AsksForEachKey => false;

    /// <summary>
    /// A number that changes with the wrapping keys: data keys that were cached under another one neither write nor read. It
    /// fails when there are no keys that count now. Cheap, and nearly always done at once.
    /// </summary>
    internal virtual ValueTask<int> GenerationAsync() => new(0);

    /// <summary>Makes a data key for an encryption context.</summary>
    internal abstract Task<DataKey> GenerateAsync(IReadOnlyDictionary<string, string> context, CancellationToken cancel);

    /// <summary>Unwraps the data key of a message, or fails naming the keys wanted and the keys there are.</summary>
    internal abstract Task<DataKey> UnwrapAsync(
        IReadOnlyList<WrappedKey> wrapped, IReadOnlyDictionary<string, string> context, CancellationToken cancel);
}
