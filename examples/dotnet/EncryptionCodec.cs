using AWS.Cryptography.EncryptionSDK;
using AWS.Cryptography.MaterialProviders;
using Google.Protobuf;
using Temporalio.Api.Common.V1;
using Temporalio.Converters;

namespace EncryptingWorker;

/// <summary>
/// Encrypts every payload with the official AWS Encryption SDK, and binds it to the namespace of this worker.
/// </summary>
public sealed class EncryptionCodec : IPayloadCodec
{
    private const string Encoding = "binary/aws-encryption-sdk";
    private const string NamespaceKey = "temporal-namespace";

    private readonly string ns;
    private readonly IKeyring keys;
    private readonly ESDK sdk;

    public EncryptionCodec(string ns, IKeyring keys)
    {
        this.ns = ns;
        this.keys = keys;
        sdk = new ESDK(new AwsEncryptionSdkConfig
        {
            CommitmentPolicy = ESDKCommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
            MaxEncryptedDataKeys = 5,
        });
    }

    public Task<IReadOnlyCollection<Payload>> EncodeAsync(IReadOnlyCollection<Payload> payloads) =>
        Task.FromResult<IReadOnlyCollection<Payload>>(payloads.Select(Encrypt).ToList());

    public Task<IReadOnlyCollection<Payload>> DecodeAsync(IReadOnlyCollection<Payload> payloads) =>
        Task.FromResult<IReadOnlyCollection<Payload>>(payloads.Select(Decrypt).ToList());

    private Payload Encrypt(Payload payload)
    {
        var output = sdk.Encrypt(new EncryptInput
        {
            Plaintext = new MemoryStream(payload.ToByteArray()),
            Keyring = keys,
            EncryptionContext = new Dictionary<string, string> { [NamespaceKey] = ns },
            // AES-256-GCM with key commitment and without a signature: 0x0478.
            AlgorithmSuiteId = ESDKAlgorithmSuiteId.ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
        });
        return new Payload
        {
            Metadata = { ["encoding"] = ByteString.CopyFromUtf8(Encoding) },
            Data = ByteString.CopyFrom(output.Ciphertext.ToArray()),
        };
    }

    private Payload Decrypt(Payload payload)
    {
        if (!payload.Metadata.TryGetValue("encoding", out var encoding) || encoding.ToStringUtf8() != Encoding)
            return payload;
        var output = sdk.Decrypt(new DecryptInput
        {
            Ciphertext = new MemoryStream(payload.Data.ToByteArray()),
            Keyring = keys,
        });
        // Authentic, but of whom? Without this line, a payload could be carried from one namespace to another.
        if (!output.EncryptionContext.TryGetValue(NamespaceKey, out var bound) || bound != ns)
            throw new InvalidOperationException("this payload belongs to another namespace");
        return Payload.Parser.ParseFrom(output.Plaintext.ToArray());
    }
}
