using System.Text;
using System.Text.RegularExpressions;
using Amazon;
using Amazon.KeyManagementService;
using Amazon.KeyManagementService.Model;
using Amazon.Runtime;

namespace TemporalCodec;

/// <summary>
/// Data keys from AWS KMS: one KMS key writes, and any number of them read. The role needs <c>kms:GenerateDataKey</c> on
/// the key that writes and <c>kms:Decrypt</c> on all of them; <c>kms:Encrypt</c> is not used. Every call names its key,
/// and a key that is not listed here is never asked.
/// </summary>
public sealed class KmsKeys : KeySource
{
    private const string Provider = "aws-kms";
    private const int DataKeyLength = 32;

    /// <summary>Errors that say the key is taken away, where others say that the data key is not one of its.</summary>
    private static readonly HashSet<string> Revoking = new(StringComparer.Ordinal)
    {
        "AccessDeniedException",
        "DisabledException",
        "KMSInvalidStateException",
        "NotFoundException",
    };

    private static readonly Regex KeyArn = new(
        @"^arn:[a-z0-9-]+:kms:(?<region>[a-z0-9-]+):(?<account>[0-9]{12}):key/(?<id>[A-Za-z0-9-]+)\z", RegexOptions.CultureInvariant);

    private readonly string? write;
    private readonly Dictionary<string, IAmazonKeyManagementService> readers = new(StringComparer.Ordinal);

    /// <summary>Initializes a new instance of the <see cref="KmsKeys"/> class.</summary>
    /// <param name="write">The ARN of the key that writes, and reads; null only reads.</param>
    /// <param name="read">ARNs of further keys that read.</param>
    /// <exception cref="CodecException">Something that must be the ARN of a key is not.</exception>
    public KmsKeys(string? write, params string[] read)
        : this(UsualClient, write, read)
    {
    }

    /// <summary>Initializes a new instance of the <see cref="KmsKeys"/> class with clients of your own.</summary>
    /// <param name="client">Makes the client of a Region.</param>
    /// <param name="write">The ARN of the key that writes, and reads; null only reads.</param>
    /// <param name="read">ARNs of further keys that read.</param>
    /// <exception cref="CodecException">Something that must be the ARN of a key is not, or an argument is null.</exception>
    public KmsKeys(Func<RegionEndpoint, IAmazonKeyManagementService> client, string? write, params string[] read)
    {
        if (client is null || read is null)
            throw new CodecException(CodecFault.Options, "KmsKeys: the client and the keys that read cannot be null: leave them out");
        var clients = new Dictionary<string, IAmazonKeyManagementService>(StringComparer.Ordinal);
        foreach (var arn in write is null ? read : read.Prepend(write))
        {
            var match = KeyArn.Match(arn ?? string.Empty);
            if (!match.Success)
            {
                throw new CodecException(
                    CodecFault.Options,
                    $"{Names.Shown(arn ?? "null")} is not the ARN of a KMS key, such as arn:aws:kms:eu-central-1:111122223333:key/…");
            }
            var region = match.Groups["region"].Value;
            if (!clients.TryGetValue(region, out var known))
                clients[region] = known = client(RegionEndpoint.GetBySystemName(region));
            readers[arn!] = known;
        }
        if (readers.Count == 0) throw new CodecException(CodecFault.Options, "KmsKeys needs the ARN of a key");
        this.write = write;
    }

    /// <inheritdoc/>
    internal override bool AsksForEachKey => true;

    /// <inheritdoc/>
    internal override async Task<DataKey> GenerateAsync(IReadOnlyDictionary<string, string> context, CancellationToken cancel)
    {
        if (write is null)
            throw new CodecException(CodecFault.CannotEncode, "no KMS key writes: give KmsKeys the ARN of one");
        try
        {
            var answer = await readers[write].GenerateDataKeyAsync(new GenerateDataKeyRequest
            {
                KeyId = write,
                NumberOfBytes = DataKeyLength,
                EncryptionContext = new(context),
            }, cancel).ConfigureAwait(false);
            if (answer.KeyId != write || answer.Plaintext.Length != DataKeyLength || answer.CiphertextBlob.Length == 0)
                throw new CodecException(CodecFault.CannotEncode, $"KMS gave no usable answer for the key {write}");
            var wrapped = new WrappedKey(Provider, Encoding.UTF8.GetBytes(write), answer.CiphertextBlob.ToArray());
            return new(answer.Plaintext.ToArray(), new[] { wrapped });
        }
        catch (Exception e) when (e is not CodecException)
        {
            throw Fault(e, write, CodecFault.CannotEncode);
        }
    }

    /// <inheritdoc/>
    internal override async Task<DataKey> UnwrapAsync(
        IReadOnlyList<WrappedKey> wrapped, IReadOnlyDictionary<string, string> context, CancellationToken cancel)
    {
        CodecException? fault = null;
        foreach (var edk in wrapped)
        {
            foreach (var arn in Candidates(edk))
            {
                try
                {
                    var answer = await readers[arn].DecryptAsync(new DecryptRequest
                    {
                        KeyId = arn,
                        CiphertextBlob = new MemoryStream(edk.Ciphertext),
                        EncryptionContext = new(context),
                    }, cancel).ConfigureAwait(false);
                    if (answer.KeyId == arn && answer.Plaintext.Length == DataKeyLength)
                        return new(answer.Plaintext.ToArray(), wrapped);
                    fault ??= new(CodecFault.CannotOpen, $"KMS gave no usable answer for the key {arn}");
                }
                catch (Exception e) when (e is not CodecException)
                {
                    var next = Fault(e, arn, CodecFault.CannotOpen);
                    // What may pass comes before what will not.
                    if (fault is null || next.Fault == CodecFault.KeyUnavailable) fault = next;
                }
            }
        }
        throw fault ?? new CodecException(
            CodecFault.CannotOpen,
            $"this payload needs the key {Names.Listed(wrapped.Select(Named))}, and the codec has {Names.Listed(readers.Keys)}");
    }

    /// <summary>The listed keys that may open it: the very one, and replicas of it in other Regions.</summary>
    private IEnumerable<string> Candidates(WrappedKey edk)
    {
        var named = KeyArn.Match(edk.ShownInfo);
        if (edk.Provider != Provider || !named.Success) return Array.Empty<string>();
        var id = named.Groups["id"].Value;
        return readers.Keys
            .Where(arn => arn == named.Value || (id.StartsWith("mrk-", StringComparison.Ordinal) && IsReplica(KeyArn.Match(arn), named)))
            .OrderByDescending(arn => arn == named.Value);
    }

    private static bool IsReplica(Match own, Match named) =>
        own.Groups["account"].Value == named.Groups["account"].Value && own.Groups["id"].Value == named.Groups["id"].Value;

    private static string Named(WrappedKey edk) =>
        edk.Provider == Provider ? edk.ShownInfo : $"{Names.Shown(edk.Provider)}/…";

    private static CodecException Fault(Exception error, string arn, CodecFault refused)
    {
        if (error is not AmazonServiceException service)
            return new(CodecFault.KeyUnavailable, $"KMS cannot be reached for the key {arn}: {error.GetType().Name}");
        var code = AwsFaults.CodeOf(service);
        return AwsFaults.MayPass(service)
            ? new(CodecFault.KeyUnavailable, $"KMS cannot answer for the key {arn}: {code}")
            : new(refused, $"KMS refuses the key {arn}: {code}") { Revokes = Revoking.Contains(code) };
    }

    /// <summary>Two attempts of 4 s, within the 8 s that the codec waits: a workflow task has 10.</summary>
    private static IAmazonKeyManagementService UsualClient(RegionEndpoint region) =>
        new AmazonKeyManagementServiceClient(new AmazonKeyManagementServiceConfig
        {
            RegionEndpoint = region,
            Timeout = TimeSpan.FromSeconds(4),
            MaxErrorRetry = 1,
        });
}
