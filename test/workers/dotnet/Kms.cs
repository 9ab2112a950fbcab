// Stand-ins for what the codec takes from AWSSDK.KeyManagementService 3.7, which is on NuGet only, on the real AWSSDK.Core.
using System.Net;
using Amazon.KeyManagementService.Model;
using Amazon.Runtime;

namespace Amazon.KeyManagementService
{
    public interface IAmazonKeyManagementService : IAmazonService, IDisposable
    {
        Task<GenerateDataKeyResponse> GenerateDataKeyAsync(GenerateDataKeyRequest request, CancellationToken cancellationToken = default);

        Task<DecryptResponse> DecryptAsync(DecryptRequest request, CancellationToken cancellationToken = default);
    }

    public class AmazonKeyManagementServiceException(string message, ErrorType type, string code, string id, HttpStatusCode status)
        : AmazonServiceException(message, type, code, id, status);

    public class AmazonKeyManagementServiceConfig
    {
        public RegionEndpoint? RegionEndpoint { get; set; }

        public TimeSpan? Timeout { get; set; }

        public int MaxErrorRetry { get; set; }
    }

    public class AmazonKeyManagementServiceClient(AmazonKeyManagementServiceConfig config) : IAmazonKeyManagementService
    {
        public IClientConfig Config => throw new NotSupportedException($"{config.RegionEndpoint}");

        public Task<GenerateDataKeyResponse> GenerateDataKeyAsync(
            GenerateDataKeyRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<DecryptResponse> DecryptAsync(DecryptRequest request, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public void Dispose() => GC.SuppressFinalize(this);
    }
}

namespace Amazon.KeyManagementService.Model
{
    public class GenerateDataKeyRequest : AmazonWebServiceRequest
    {
        public string KeyId { get; set; } = string.Empty;

        public int NumberOfBytes { get; set; }

        public Dictionary<string, string> EncryptionContext { get; set; } = new();
    }

    public class GenerateDataKeyResponse : AmazonWebServiceResponse
    {
        public string KeyId { get; set; } = string.Empty;

        public MemoryStream Plaintext { get; set; } = new();

        public MemoryStream CiphertextBlob { get; set; } = new();
    }

    public class DecryptRequest : AmazonWebServiceRequest
    {
        public string KeyId { get; set; } = string.Empty;

        public MemoryStream CiphertextBlob { get; set; } = new();

        public Dictionary<string, string> EncryptionContext { get; set; } = new();
    }

    public class DecryptResponse : AmazonWebServiceResponse
    {
        public string KeyId { get; set; } = string.Empty;

        public MemoryStream Plaintext { get; set; } = new();
    }
}
