namespace TemporalCodec;

/// <summary>Why the codec failed.</summary>
public enum CodecFault
{
    /// <summary>The options are wrong: a mistake of the program that makes the codec, told at once.</summary>
    Options,

    /// <summary>The keyring file or secret is missing, can be read by others, or is not a keyring.</summary>
    KeyringUnusable,

    /// <summary>There is no key to write with, or the key service refuses it.</summary>
    CannotEncode,

    /// <summary>A payload stays closed: its key is missing or refused, or its bytes are not authentic.</summary>
    CannotOpen,

    /// <summary>A payload of another namespace, which this codec was not told to decode.</summary>
    WrongNamespace,

    /// <summary>A payload that is not encrypted, where plaintext is refused.</summary>
    PlaintextRefused,

    /// <summary>The key service cannot answer now, and may in a moment.</summary>
    KeyUnavailable,
}

/// <summary>
/// Every way in which the codec fails. The message names keys, namespaces and the error codes of AWS, and never holds
/// payload bytes, key bytes or text of a remote service: it stays readable in the history.
/// </summary>
public sealed class CodecException : Exception
{
    internal CodecException(CodecFault fault, string message)
        : base(message) => Fault = fault;

    /// <summary>Gets a value indicating whether a key that read is refused for good: it must not go on writing.</summary>
    internal bool Revokes { get; init; }

    /// <summary>Gets why the codec failed.</summary>
    public CodecFault Fault { get; }
}
