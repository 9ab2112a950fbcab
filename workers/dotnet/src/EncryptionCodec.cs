using Google.Protobuf;
using Temporalio.Api.Common.V1;
using Temporalio.Converters;

namespace TemporalCodec;

/// <summary>What becomes of payloads that are not encrypted.</summary>
public enum Plaintext
{
    /// <summary>They are passed on as they are: for histories from before the codec.</summary>
    Accept,

    /// <summary>They are refused.</summary>
    Refuse,
}

/// <summary>Settings of a codec.</summary>
public sealed record CodecOptions
{
    /// <summary>Gets further namespaces whose payloads are decoded, with * for any run of characters.</summary>
    public IReadOnlyCollection<string> AlsoDecode { get; init; } = Array.Empty<string>();

    /// <summary>Gets what becomes of payloads that are not encrypted.</summary>
    public Plaintext Plaintext { get; init; } = Plaintext.Accept;

    /// <summary>Gets the bounds of the cache of data keys.</summary>
    public CacheSettings Cache { get; init; } = new();

    /// <summary>Gets the bytes that decompression may produce in one call.</summary>
    public int InflatedBytes { get; init; } = 32 << 20;

    /// <summary>Gets whether messages and stack traces of failures are encrypted.</summary>
    public bool EncryptFailures { get; init; } = true;
}

/// <summary>
/// Encrypts every payload and binds it to a namespace; opens what is bound to it. What is written is an AWS Encryption SDK
/// message of the suite 0x0478 whose encryption context holds <c>temporal-namespace</c>. What is read may be of the suite
/// 0x0578 too, framed or not, compressed inside with zstd, zlib, gzip or snappy, and in up to 8 layers.
/// </summary>
public sealed class EncryptionCodec : IPayloadCodec, IWithSerializationContext<IPayloadCodec>
{
    private const string Encoding = "binary/aws-encryption-sdk";
    private const string NamespaceKey = "temporal-namespace";
    private const int MaxLayers = 8;

    private readonly Dictionary<string, string> context;
    private readonly Predicate<string> further;
    private readonly CodecOptions options;
    private readonly DataKeys keys;

    /// <summary>Initializes a new instance of the <see cref="EncryptionCodec"/> class.</summary>
    /// <param name="ns">Full name of the namespace that the worker or client works in.</param>
    /// <param name="keys">Where data keys come from.</param>
    /// <param name="options">Further settings.</param>
    /// <exception cref="CodecException">An option is wrong.</exception>
    public EncryptionCodec(string ns, KeySource keys, CodecOptions? options = null)
        : this(ns, keys, options, TimeProvider.System)
    {
    }

    internal EncryptionCodec(string ns, KeySource keys, CodecOptions? options, TimeProvider clock)
    {
        if (string.IsNullOrEmpty(ns))
            throw new CodecException(CodecFault.Options, "the namespace must be the one that the worker works in");
        if (keys is null)
            throw new CodecException(CodecFault.Options, "a codec needs keys: KmsKeys, KeyringFile or KeyringSecret");
        this.options = options ?? new CodecOptions();
        if (!Enum.IsDefined(this.options.Plaintext))
            throw new CodecException(CodecFault.Options, "Plaintext must be Accept or Refuse");
        if (this.options.AlsoDecode is null || this.options.Cache is null)
            throw new CodecException(CodecFault.Options, "AlsoDecode and Cache cannot be null: leave them out");
        this.options.Cache.Check();
        if (this.options.InflatedBytes < 1)
            throw new CodecException(CodecFault.Options, "InflatedBytes must be above 0");
        Namespace = ns;
        context = new() { [NamespaceKey] = ns };
        further = Names.Matcher(this.options.AlsoDecode);
        this.keys = new DataKeys(keys, this.options.Cache, clock);
    }

    /// <summary>Gets the namespace that payloads are bound to.</summary>
    public string Namespace { get; }

    /// <inheritdoc/>
    public async Task<IReadOnlyCollection<Payload>> EncodeAsync(IReadOnlyCollection<Payload> payloads)
    {
        var encoded = new List<Payload>(payloads.Count);
        foreach (var payload in payloads) encoded.Add(await SealAsync(payload).ConfigureAwait(false));
        return encoded;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyCollection<Payload>> DecodeAsync(IReadOnlyCollection<Payload> payloads)
    {
        var budget = new Compression.Budget(options.InflatedBytes);
        var decoded = new List<Payload>(payloads.Count);
        foreach (var payload in payloads) decoded.Add(await OpenAsync(payload, budget).ConfigureAwait(false));
        return decoded;
    }

    /// <summary>The codec as the SDK uses it for one workflow: it encodes for no other namespace than its own.</summary>
    /// <param name="context">Context of the SDK.</param>
    /// <returns>This codec, or one that only decodes.</returns>
    public IPayloadCodec WithSerializationContext(ISerializationContext context) =>
        context is ISerializationContext.IHasWorkflow known && known.Namespace != Namespace && known.Namespace != "ReplayNamespace"
            ? new InOtherNamespace(this, known.Namespace)
            : this;

    private async Task<Payload> SealAsync(Payload payload)
    {
        var plain = payload.ToByteArray();
        var key = await keys.ForWritingAsync(context, plain.Length).ConfigureAwait(false);
        return new Payload
        {
            Metadata = { ["encoding"] = ByteString.CopyFromUtf8(Encoding) },
            Data = ByteString.CopyFrom(MessageWriter.Seal(plain, key, context)),
        };
    }

    private async Task<Payload> OpenAsync(Payload payload, Compression.Budget budget)
    {
        var isSealed = false;
        for (var layer = 0; layer <= MaxLayers; layer++)
        {
            var encoding = payload.Metadata.TryGetValue("encoding", out var bytes) ? bytes.ToStringUtf8() : string.Empty;
            if (encoding == Encoding)
            {
                isSealed = true;
                payload = Parsed(await DecryptAsync(payload.Data.ToByteArray()).ConfigureAwait(false));
            }
            else if (!isSealed && options.Plaintext == Plaintext.Refuse)
            {
                throw new CodecException(
                    CodecFault.PlaintextRefused,
                    $"a payload is not encrypted (its encoding is {(encoding.Length == 0 ? "empty" : Names.Shown(encoding))}), and plaintext is refused");
            }
            else if (Compression.Reads(encoding))
            {
                payload = Parsed(Compression.Inflate(encoding, payload.Data.ToByteArray(), budget));
            }
            else
            {
                return payload;
            }
        }
        throw new CodecException(CodecFault.CannotOpen, $"a payload has more than {MaxLayers} layers");
    }

    private async Task<byte[]> DecryptAsync(byte[] bytes)
    {
        var message = Message.Parse(bytes);
        // Before a key is touched; the message's tags authenticate the context afterwards.
        Allow(message.Context);
        var key = await keys.ForReadingAsync(message.Wrapped, message.Context).ConfigureAwait(false);
        return message.Open(key.Plaintext);
    }

    private void Allow(IReadOnlyDictionary<string, string> claimed)
    {
        var bound = claimed.TryGetValue(NamespaceKey, out var value) ? value : null;
        if (bound == Namespace || (bound is not null && further(bound))) return;
        throw new CodecException(
            CodecFault.WrongNamespace,
            bound is null
                ? $"a payload that is bound to no namespace was met in {Namespace}"
                : $"a payload of the namespace {Names.Shown(bound)} was met in {Namespace}; if that is meant, name it in AlsoDecode");
    }

    private static Payload Parsed(byte[] serialized)
    {
        try
        {
            return Payload.Parser.ParseFrom(serialized);
        }
        catch (InvalidProtocolBufferException)
        {
            throw new CodecException(CodecFault.CannotOpen, "what a payload holds is not a payload");
        }
    }

    /// <summary>The codec in the hands of a client or worker of another namespace.</summary>
    private sealed class InOtherNamespace(EncryptionCodec codec, string other)
        : IPayloadCodec, IWithSerializationContext<IPayloadCodec>
    {
        public Task<IReadOnlyCollection<Payload>> EncodeAsync(IReadOnlyCollection<Payload> payloads) =>
            throw new CodecException(
                CodecFault.CannotEncode,
                $"a payload for the namespace {Names.Shown(other)} would be bound to {codec.Namespace}: give the codec the namespace of its client");

        public Task<IReadOnlyCollection<Payload>> DecodeAsync(IReadOnlyCollection<Payload> payloads) =>
            codec.DecodeAsync(payloads);

        public IPayloadCodec WithSerializationContext(ISerializationContext context) =>
            codec.WithSerializationContext(context);
    }
}
