using System.Text.Json;
using Google.Protobuf;
using NUnit.Framework;
using Temporalio.Api.Common.V1;

namespace TemporalCodec.Tests;

/// <summary>The messages that the project has frozen: every language of this repository is held to the same files.</summary>
public static class VectorsTests
{
    public static IEnumerable<TestCaseData> Good() => Named("good");

    public static IEnumerable<TestCaseData> Bad() => Named("bad");

    [TestCaseSource(nameof(Good))]
    public static async Task FrozenMessagesDecodeForEver(string file, int index)
    {
        var (codec, vector) = Case(file, "good", index);
        var decoded = await codec.DecodeAsync([PayloadOf(vector.GetProperty("payload"))]);
        Assert.That(decoded.Single(), Is.EqualTo(PayloadOf(vector.GetProperty("expect"))));
    }

    [TestCaseSource(nameof(Bad))]
    public static void SpoiltMessagesAreRefused(string file, int index)
    {
        var (codec, vector) = Case(file, "bad", index);
        var error = Assert.ThrowsAsync<CodecException>(() => codec.DecodeAsync([PayloadOf(vector.GetProperty("payload"))]));
        Assert.That(error!.Fault, Is.EqualTo(CodecFault.CannotOpen).Or.EqualTo(CodecFault.WrongNamespace));
    }

    [TestCaseSource(nameof(Good))]
    public static void NoAlteredOrShortenedMessageOpens(string file, int index)
    {
        var (codec, vector) = Case(file, "good", index);
        var payload = PayloadOf(vector.GetProperty("payload"));
        if (payload.Metadata["encoding"].ToStringUtf8() != "binary/aws-encryption-sdk") return;
        var data = payload.Data.ToByteArray();
        // Every byte of the head, and of what follows some: a long body is the same thing many times.
        for (var at = 0; at < data.Length; at += at < 600 ? 1 : 1 + (data.Length / 200))
        {
            var altered = (byte[])data.Clone();
            altered[at] ^= (byte)(1 << (at % 8));
            foreach (var spoilt in new[] { data[..at], altered })
            {
                var copy = payload.Clone();
                copy.Data = ByteString.CopyFrom(spoilt);
                Assert.ThrowsAsync<CodecException>(() => codec.DecodeAsync([copy]), $"byte {at}");
            }
        }
    }

    private static IEnumerable<TestCaseData> Named(string list)
    {
        foreach (var file in new[] { "aws-encryption-sdk-python.json", "workers.json" })
        {
            var index = 0;
            foreach (var vector in Read(file).GetProperty(list).EnumerateArray())
                yield return new TestCaseData(file, index++).SetArgDisplayNames(file, vector.GetProperty("name").GetString()!);
        }
    }

    private static (EncryptionCodec Codec, JsonElement Vector) Case(string file, string list, int index)
    {
        var vectors = Read(file);
        var vector = vectors.GetProperty(list)[index];
        using var keyring = new TemporaryKeyring(vectors.GetProperty("keyring").GetRawText());
        return (new EncryptionCodec(vector.GetProperty("namespace").GetString()!, new KeyringFile(keyring.Path)), vector);
    }

    private static JsonElement Read(string file) =>
        JsonDocument.Parse(File.ReadAllText(Path.Combine(TestContext.CurrentContext.TestDirectory, file))).RootElement;

    private static Payload PayloadOf(JsonElement json)
    {
        var payload = new Payload();
        if (json.TryGetProperty("data", out var data)) payload.Data = ByteString.FromBase64(data.GetString());
        if (json.TryGetProperty("metadata", out var metadata))
            foreach (var it in metadata.EnumerateObject()) payload.Metadata[it.Name] = ByteString.FromBase64(it.Value.GetString());
        if (json.TryGetProperty("externalPayloads", out var external))
            foreach (var it in external.EnumerateArray())
                payload.ExternalPayloads.Add(new Payload.Types.ExternalPayloadDetails { SizeBytes = SizeOf(it) });
        return payload;
    }

    private static long SizeOf(JsonElement external) =>
        long.Parse(external.GetProperty("sizeBytes").GetString()!, System.Globalization.CultureInfo.InvariantCulture);
}
