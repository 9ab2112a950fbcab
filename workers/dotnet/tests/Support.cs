using System.Reflection;
using System.Text.Json;
using Amazon.KeyManagementService;
using Amazon.KeyManagementService.Model;
using Amazon.Runtime;
using Google.Protobuf;
using NUnit.Framework;
using Temporalio.Api.Common.V1;

// Every test has its own clock, keyring and KMS.
[assembly: FixtureLifeCycle(LifeCycle.InstancePerTestCase)]

namespace TemporalCodec.Tests;

/// <summary>A clock that stands until it is moved. Timers run in real time.</summary>
internal sealed class Clock : TimeProvider
{
    private DateTimeOffset now = DateTimeOffset.UnixEpoch;

    public override DateTimeOffset GetUtcNow() => now;

    public void Pass(TimeSpan time) => now += time;
}

/// <summary>A keyring file for one test.</summary>
internal sealed class TemporaryKeyring : IDisposable
{
    public TemporaryKeyring(string text)
    {
        Path = System.IO.Path.GetTempFileName();
        Write(text);
    }

    public string Path { get; }

    /// <summary>A keyring whose keys are of one byte each, repeated.</summary>
    public static string Document(string current, params (string Name, byte Fill)[] keys) => JsonSerializer.Serialize(new
    {
        @namespace = "codec-server",
        current,
        keys = keys.Select(it => new { name = it.Name, key = Convert.ToBase64String(Enumerable.Repeat(it.Fill, 32).ToArray()) }),
    });

    public void Write(string text)
    {
        File.WriteAllText(Path, text);
        File.SetUnixFileMode(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    public void Dispose() => File.Delete(Path);
}

/// <summary>A KMS in memory: it wraps by putting the plaintext beside the context, counts, and fails as it is told.</summary>
public class FakeKms : DispatchProxy
{
    private readonly Dictionary<string, (byte[] Plaintext, string Context)> made = new();

    public int Generated { get; private set; }

    public int Decrypted { get; private set; }

    /// <summary>What happens before an answer: an error to throw, or time to pass.</summary>
    public Func<string, Task> Before { get; set; } = _ => Task.CompletedTask;

    public IAmazonKeyManagementService Client => (IAmazonKeyManagementService)(object)this;

    public static FakeKms Create() => (FakeKms)(object)DispatchProxy.Create<IAmazonKeyManagementService, FakeKms>();

    public static Exception Error(string code, int status) =>
        new AmazonKeyManagementServiceException("text of the service", ErrorType.Sender, code, "id", (System.Net.HttpStatusCode)status);

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => args![0] switch
    {
        GenerateDataKeyRequest request => GenerateAsync(request),
        DecryptRequest request => DecryptAsync(request),
        _ => throw new NotSupportedException(targetMethod!.Name),
    };

    private static string Text(Dictionary<string, string> context) =>
        string.Join(";", context.OrderBy(it => it.Key, StringComparer.Ordinal).Select(it => $"{it.Key}={it.Value}"));

    private async Task<GenerateDataKeyResponse> GenerateAsync(GenerateDataKeyRequest request)
    {
        lock (made) Generated++;
        await Before("GenerateDataKey");
        var plaintext = System.Security.Cryptography.RandomNumberGenerator.GetBytes(32);
        var wrapped = Guid.NewGuid().ToString();
        lock (made) made[$"{request.KeyId} {wrapped}"] = (plaintext, Text(request.EncryptionContext));
        return new()
        {
            KeyId = request.KeyId,
            Plaintext = new MemoryStream(plaintext),
            CiphertextBlob = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(wrapped)),
        };
    }

    private async Task<DecryptResponse> DecryptAsync(DecryptRequest request)
    {
        lock (made) Decrypted++;
        await Before("Decrypt");
        lock (made)
        {
            var wrapped = System.Text.Encoding.UTF8.GetString(request.CiphertextBlob.ToArray());
            if (!made.TryGetValue($"{request.KeyId} {wrapped}", out var it) || it.Context != Text(request.EncryptionContext))
                throw Error("InvalidCiphertextException", 400);
            return new() { KeyId = request.KeyId, Plaintext = new MemoryStream(it.Plaintext) };
        }
    }
}

/// <summary>Payloads of the tests.</summary>
internal static class Payloads
{
    public static Payload Secret => Of("a secret");

    public static Payload Of(string text) => new()
    {
        Metadata = { ["encoding"] = ByteString.CopyFromUtf8("json/plain") },
        Data = ByteString.CopyFromUtf8($"\"{text}\""),
    };
}
