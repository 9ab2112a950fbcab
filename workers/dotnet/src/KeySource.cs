using System.Text;

namespace TemporalCodec;

/// <summary>A data key as a message carries it.</summary>
internal sealed record WrappedKey(string Provider, byte[] Info, byte[] Ciphertext)
{
    /// <summary>Gets the provider info as text that may stand in an error.</summary>
    public string ShownInfo => Names.Shown(Encoding.UTF8.GetString(Info));
}

/// <summary>A data key, and how it is wrapped.</summary>
internal sealed record DataKey(byte[] Plaintext, IReadOnlyList<WrappedKey> Wrapped);

/// <summary>Where data keys come from: <see cref="KmsKeys"/> or <see cref="KeyringFile"/>.</summary>
public abstract class KeySource
{
    private protected KeySource()
    {
    }

    /// <summary>Gets a number that changes when another key writes than before. It is cheap.</summary>
    internal virtual int Generation => 0;

    /// <summary>Makes a data key for an encryption context.</summary>
    internal abstract Task<DataKey> GenerateAsync(IReadOnlyDictionary<string, string> context);

    /// <summary>Unwraps the data key of a message, or fails naming the keys wanted and the keys there are.</summary>
    internal abstract Task<DataKey> UnwrapAsync(
        IReadOnlyList<WrappedKey> wrapped, IReadOnlyDictionary<string, string> context);
}
