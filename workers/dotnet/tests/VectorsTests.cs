using System.Text.Json;
using Google.Protobuf;
using Temporalio.Api.Common.V1;
using Xunit;

namespace TemporalCodec.Tests;

/// <summary>The vectors that every language of this repository is held to, and what a payload is bound to.</summary>
public sealed class VectorsTests : IDisposable
{
    private static readonly JsonElement Vectors =
        JsonDocument.Parse(File.ReadAllText("aws-encryption-sdk-python.json")).RootElement;

    private readonly string file = Path.GetTempFileName();

    public VectorsTests()
    {
        File.WriteAllText(file, Vectors.GetProperty("keyring").GetRawText());
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    public static TheoryData<int> Good()
    {
        var data = new TheoryData<int>();
        for (var i = 0; i < Vectors.GetProperty("good").GetArrayLength(); i++) data.Add(i);
        return data;
    }

    public void Dispose() => File.Delete(file);

    [Theory]
    [MemberData(nameof(Good))]
    public async Task FrozenMessagesDecodeForEver(int index)
    {
        var vector = Vectors.GetProperty("good")[index];
        var decoded = await CodecOf("orders-dev.a1b2c").DecodeAsync(new[] { PayloadOf(vector.GetProperty("payload")) });
        Assert.Equal(PayloadOf(vector.GetProperty("expect")), decoded.Single());
    }

    [Theory]
    [MemberData(nameof(Good))]
    public async Task NoAlteredOrShortenedMessageOpens(int index)
    {
        var codec = CodecOf("orders-dev.a1b2c");
        var payload = PayloadOf(Vectors.GetProperty("good")[index].GetProperty("payload"));
        var data = payload.Data.ToByteArray();
        for (var at = 0; at < data.Length; at++)
        {
            var altered = (byte[])data.Clone();
            altered[at] ^= (byte)(1 << (at % 8));
            foreach (var spoilt in new[] { data[..at], altered })
            {
                var copy = payload.Clone();
                copy.Data = ByteString.CopyFrom(spoilt);
                await Assert.ThrowsAsync<CodecException>(() => codec.DecodeAsync(new[] { copy }));
            }
        }
    }

    [Fact]
    public async Task AnotherNamespaceIsRefusedByTheNamesOfBoth()
    {
        var encoded = await CodecOf("payments").EncodeAsync(new[] { Secret });
        var exception = await Assert.ThrowsAsync<CodecException>(() => CodecOf("orders").DecodeAsync(encoded));
        Assert.Equal(CodecFault.WrongNamespace, exception.Fault);
        Assert.Contains("namespace payments was met in orders", exception.Message);
        var reading = new EncryptionCodec("orders", new KeyringFile(file), new() { AlsoDecode = new[] { "pay*" } });
        Assert.Equal(Secret, (await reading.DecodeAsync(encoded)).Single());
    }

    [Fact]
    public async Task PlaintextIsLeftAloneOrRefused()
    {
        Assert.Equal(Secret, (await CodecOf("orders").DecodeAsync(new[] { Secret })).Single());
        var refusing = new EncryptionCodec("orders", new KeyringFile(file), new() { Plaintext = Plaintext.Refuse });
        await Assert.ThrowsAsync<CodecException>(() => refusing.DecodeAsync(new[] { Secret }));
    }

    [Fact]
    public void SettingsThatGotLostAreRefused()
    {
        var keys = new KeyringFile(file);
        Assert.Throws<CodecException>(() => new EncryptionCodec("orders", null!));
        Assert.Throws<CodecException>(() => new EncryptionCodec("orders", keys, new() { Plaintext = (Plaintext)7 }));
        Assert.Throws<CodecException>(() => new EncryptionCodec("orders", keys, new() { AlsoDecode = null! }));
        Assert.Throws<CodecException>(() => new EncryptionCodec("orders", keys, new() { Cache = null! }));
    }

    private static Payload Secret => new()
    {
        Metadata = { ["encoding"] = ByteString.CopyFromUtf8("json/plain") },
        Data = ByteString.CopyFromUtf8("\"a secret\""),
    };

    private static Payload PayloadOf(JsonElement json) => JsonParser.Default.Parse<Payload>(json.GetRawText());

    private EncryptionCodec CodecOf(string ns) => new(ns, new KeyringFile(file));
}
