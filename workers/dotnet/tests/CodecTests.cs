using System.IO.Compression;
using Google.Protobuf;
using NUnit.Framework;
using Temporalio.Api.Common.V1;
using Temporalio.Converters;

namespace TemporalCodec.Tests;

public sealed class CodecTests : IDisposable
{
    private readonly TemporaryKeyring keyring = new(TemporaryKeyring.Document("one", ("one", 1)));

    public void Dispose() => keyring.Dispose();

    [Test]
    public async Task WhatIsWrittenIsReadAndNothingOfItIsReadable()
    {
        var payloads = Enumerable.Range(0, 5).Select(it => Payloads.Of(new string('s', it * 3000))).ToList();
        var encoded = await CodecOf("orders").EncodeAsync(payloads);
        foreach (var payload in encoded)
        {
            Assert.That(payload.Metadata["encoding"].ToStringUtf8(), Is.EqualTo("binary/aws-encryption-sdk"));
            Assert.That(payload.Data.ToByteArray()[..3], Is.EqualTo(new byte[] { 2, 0x04, 0x78 }));
            Assert.That(payload.Data.ToString(System.Text.Encoding.Latin1), Does.Not.Contain("json").And.Not.Contain("sss"));
        }
        Assert.That(await CodecOf("orders").DecodeAsync(encoded), Is.EqualTo(payloads));
    }

    [Test]
    public async Task AnotherNamespaceIsRefusedByTheNamesOfBoth()
    {
        var encoded = await CodecOf("payments").EncodeAsync([Payloads.Secret]);
        var error = Assert.ThrowsAsync<CodecException>(() => CodecOf("orders").DecodeAsync(encoded));
        Assert.That(error!.Fault, Is.EqualTo(CodecFault.WrongNamespace));
        Assert.That(error.Message, Does.Contain("namespace payments was met in orders"));
        var reading = CodecOf("orders", new() { AlsoDecode = ["pay*"] });
        Assert.That((await reading.DecodeAsync(encoded)).Single(), Is.EqualTo(Payloads.Secret));
    }

    [Test]
    public async Task PlaintextIsLeftAloneOrRefused()
    {
        Assert.That((await CodecOf("orders").DecodeAsync([Payloads.Secret])).Single(), Is.EqualTo(Payloads.Secret));
        var refusing = CodecOf("orders", new() { Plaintext = Plaintext.Refuse });
        var error = Assert.ThrowsAsync<CodecException>(() => refusing.DecodeAsync([Payloads.Secret]));
        Assert.That(error!.Fault, Is.EqualTo(CodecFault.PlaintextRefused));
        Assert.That(error.Message, Does.Not.Contain("secret"));
        Assert.ThrowsAsync<CodecException>(() => refusing.DecodeAsync([Compressed("binary/gzip", Payloads.Secret)]));
        var encoded = await refusing.EncodeAsync([Payloads.Secret]);
        Assert.That((await refusing.DecodeAsync(encoded)).Single(), Is.EqualTo(Payloads.Secret));
    }

    [TestCase("binary/zlib")]
    [TestCase("binary/gzip")]
    [TestCase("binary/zstd")]
    public async Task CompressionInsideIsUndoneWithinALimit(string encoding)
    {
        var inner = Payloads.Of(new string('x', 100_000));
        var encoded = await CodecOf("orders").EncodeAsync([Compressed(encoding, inner)]);
        Assert.That((await CodecOf("orders").DecodeAsync(encoded)).Single(), Is.EqualTo(inner));
        var narrow = CodecOf("orders", new() { InflatedBytes = 99_999 });
        var error = Assert.ThrowsAsync<CodecException>(() => narrow.DecodeAsync(encoded));
        Assert.That(error!.Message, Does.Contain("inflates past"));
    }

    [Test]
    public void SettingsThatGotLostAreRefused()
    {
        var keys = new KeyringFile(keyring.Path);
        Refused(() => new EncryptionCodec("orders", null!));
        Refused(() => new EncryptionCodec("", keys));
        Refused(() => new EncryptionCodec("orders", keys, new() { Plaintext = (Plaintext)7 }));
        Refused(() => new EncryptionCodec("orders", keys, new() { AlsoDecode = null! }));
        Refused(() => new EncryptionCodec("orders", keys, new() { AlsoDecode = [null!] }));
        Refused(() => new EncryptionCodec("orders", keys, new() { Cache = null! }));
        Refused(() => new EncryptionCodec("orders", keys, new() { Cache = new() { MaxKeys = 0 } }));
        Refused(() => new EncryptionCodec("orders", keys, new() { Cache = new() { WriteTime = TimeSpan.FromDays(2) } }));
        Refused(() => new KeyringFile(null!));
        Refused(() => new KmsKeys(null));
        Refused(() => new KmsKeys("alias/mine"));
        Refused(() => new KmsKeys("arn:aws:kms:eu-central-1:111122223333:key/a", null!));
        Refused(() => new KeyringSecret("arn:aws:secretsmanager:eu-central-1:111122223333:secret:a", null!));
        Refused(() => new KeyringSecret(null!, (_, _) => Task.FromResult(string.Empty)));
    }

    [Test]
    public async Task NothingIsEncodedForAnotherNamespaceOfTheSdk()
    {
        var codec = CodecOf("orders");
        var own = codec.WithSerializationContext(new ISerializationContext.Workflow("orders", "id"));
        var other = codec.WithSerializationContext(new ISerializationContext.Workflow("payments", "id"));
        var encoded = await own.EncodeAsync([Payloads.Secret]);
        Assert.ThrowsAsync<CodecException>(() => other.EncodeAsync([Payloads.Secret]));
        Assert.That((await other.DecodeAsync(encoded)).Single(), Is.EqualTo(Payloads.Secret));
    }

    private static void Refused(TestDelegate make) =>
        Assert.That(Assert.Throws<CodecException>(make)!.Fault, Is.EqualTo(CodecFault.Options));

    private static Payload Compressed(string encoding, Payload payload)
    {
        using var output = new MemoryStream();
        using (Stream stream = encoding switch
        {
            "binary/zlib" => new ZLibStream(output, CompressionLevel.Optimal, leaveOpen: true),
            "binary/gzip" => new GZipStream(output, CompressionLevel.Optimal, leaveOpen: true),
            _ => new ZstdSharp.CompressionStream(output, leaveOpen: true),
        })
        {
            payload.WriteTo(stream);
        }
        return new()
        {
            Metadata = { ["encoding"] = ByteString.CopyFromUtf8(encoding) },
            Data = ByteString.CopyFrom(output.ToArray()),
        };
    }

    private EncryptionCodec CodecOf(string ns, CodecOptions? options = null) => new(ns, new KeyringFile(keyring.Path), options);
}
