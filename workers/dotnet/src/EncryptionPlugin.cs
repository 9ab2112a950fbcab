using System.Collections.Concurrent;
using Temporalio.Api.Failure.V1;
using Temporalio.Client;
using Temporalio.Converters;

namespace TemporalCodec;

/// <summary>
/// Encrypts the payloads and failures of a client and of the workers that are made with it. The namespace is the client's
/// own. Search attributes stay plain: the server has to read them.
/// </summary>
public sealed class EncryptionPlugin : ITemporalClientPlugin
{
    private readonly KeySource keys;
    private readonly CodecOptions options;
    private readonly ConcurrentDictionary<string, EncryptionCodec> codecs = new(StringComparer.Ordinal);

    /// <summary>Initializes a new instance of the <see cref="EncryptionPlugin"/> class.</summary>
    /// <param name="keys">Where data keys come from: <see cref="KmsKeys"/>, <see cref="KeyringFile"/> or <see cref="KeyringSecret"/>.</param>
    /// <param name="options">Further settings.</param>
    /// <exception cref="CodecException">An option is wrong.</exception>
    public EncryptionPlugin(KeySource keys, CodecOptions? options = null)
    {
        this.keys = keys;
        this.options = options ?? new CodecOptions();
        // Tells wrong options now, and not when a client connects.
        _ = new EncryptionCodec("checked", keys, this.options);
    }

    /// <inheritdoc/>
    public string Name => "temporal-codec-server.EncryptionPlugin";

    /// <inheritdoc/>
    public void ConfigureClient(TemporalClientOptions options)
    {
        if (options.DataConverter.PayloadCodec is not null and not EncryptionCodec)
        {
            throw new CodecException(
                CodecFault.Options,
                "the client has a payload codec already: leave it out, or put an EncryptionCodec into one of your own");
        }
        var codec = codecs.GetOrAdd(options.Namespace, it => new EncryptionCodec(it, keys, this.options));
        var converter = options.DataConverter with { PayloadCodec = codec };
        if (this.options.EncryptFailures && converter.FailureConverter.GetType() == typeof(DefaultFailureConverter))
            converter = converter with { FailureConverter = new EncryptingFailureConverter() };
        options.DataConverter = converter;
    }

    /// <inheritdoc/>
    public Task<TemporalConnection> ConnectAsync(
        TemporalClientConnectOptions options,
        Func<TemporalClientConnectOptions, Task<TemporalConnection>> continuation) => continuation(options);
}

/// <summary>
/// Moves messages and stack traces to where the codec encrypts them, except those of the codec itself: a failure of the
/// codec cannot be encrypted with the codec, and its text, which holds no secret, is what people need to see.
/// </summary>
public sealed class EncryptingFailureConverter : DefaultFailureConverter
{
    private static readonly DefaultFailureConverter Readable = new();

    /// <summary>Initializes a new instance of the <see cref="EncryptingFailureConverter"/> class.</summary>
    public EncryptingFailureConverter()
        : base(new DefaultFailureConverterOptions { EncodeCommonAttributes = true })
    {
    }

    /// <inheritdoc/>
    public override Failure ToFailure(Exception exception, IPayloadConverter payloadConverter) =>
        exception is CodecException own
            ? Readable.ToFailure(new CodecException(own.Fault, own.Message), payloadConverter)
            : base.ToFailure(exception, payloadConverter);
}
