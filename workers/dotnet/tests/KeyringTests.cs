using NUnit.Framework;

namespace TemporalCodec.Tests;

/// <summary>Keyrings that change, break and go away: in a file and in a secret.</summary>
public sealed class KeyringTests : IDisposable
{
    private const string Arn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:codec-keyring-a1b2c3";

    private static readonly string One = TemporaryKeyring.Document("one", ("one", 1));
    private static readonly string Two = TemporaryKeyring.Document("two", ("two", 2));
    private static readonly string Both = TemporaryKeyring.Document("two", ("one", 1), ("two", 2));

    private readonly Clock clock = new();
    private readonly TemporaryKeyring file = new(One);

    public void Dispose() => file.Dispose();

    [Test]
    public async Task AChangedFileIsPickedUpWithinASecond()
    {
        var codec = new EncryptionCodec("orders", new KeyringFile(file.Path, clock));
        var first = await codec.EncodeAsync([Payloads.Secret]);
        file.Write(Both);
        clock.Pass(TimeSpan.FromSeconds(1));
        var second = await codec.EncodeAsync([Payloads.Secret]);
        Assert.That(await codec.DecodeAsync([.. first, .. second]), Has.Count.EqualTo(2));
        file.Write(Two);
        clock.Pass(TimeSpan.FromSeconds(1));
        // No data key that was cached under the old keyring goes on reading.
        var error = Assert.ThrowsAsync<CodecException>(() => codec.DecodeAsync(first));
        Assert.That(error!.Message, Does.Contain("needs the key codec-server/one").And.Contain("has codec-server/two"));
        Assert.That((await codec.DecodeAsync(second)).Single(), Is.EqualTo(Payloads.Secret));
    }

    [Test]
    public async Task ABrokenFileEndsAfterFiveMinutes()
    {
        var codec = new EncryptionCodec("orders", new KeyringFile(file.Path, clock));
        var encoded = await codec.EncodeAsync([Payloads.Secret]);
        file.Write("{");
        clock.Pass(TimeSpan.FromSeconds(299));
        await codec.DecodeAsync(encoded);
        await codec.EncodeAsync([Payloads.Secret]);
        clock.Pass(TimeSpan.FromSeconds(2));
        foreach (var call in new Func<Task>[] { () => codec.DecodeAsync(encoded), () => codec.EncodeAsync([Payloads.Secret]) })
        {
            var error = Assert.ThrowsAsync<CodecException>(() => call());
            Assert.That(error!.Fault, Is.EqualTo(CodecFault.KeyringUnusable));
            Assert.That(error.Message, Does.Contain(file.Path).And.Contain("not valid JSON"));
        }
        file.Write(One);
        clock.Pass(TimeSpan.FromSeconds(1));
        Assert.That((await codec.DecodeAsync(encoded)).Single(), Is.EqualTo(Payloads.Secret));
    }

    [Test]
    public void AFileThatOthersCanReadIsRefused()
    {
        File.SetUnixFileMode(file.Path, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        var error = Assert.Throws<CodecException>(() => new KeyringFile(file.Path));
        Assert.That(error!.Message, Does.Contain("chmod 600"));
        Assert.Throws<CodecException>(() => new KeyringFile(file.Path + ".none"));
    }

    [TestCase("""{"namespace":"aws-kms","current":"a","keys":[]}""")]
    [TestCase("""{"namespace":"n","current":"b","keys":[{"name":"a","key":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="}]}""")]
    [TestCase("""{"namespace":"n","current":"a","keys":[{"name":"a","key":"c2hvcnQ="}]}""")]
    [TestCase("""{"namespace":"n","current":"a","keys":[{"name":"a","key":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="}],"more":1}""")]
    public void WhatIsNotAKeyringIsRefusedWithoutItsText(string document)
    {
        var error = Assert.Throws<CodecException>(() => new Keyring(document, "the keyring"));
        Assert.That(error!.Fault, Is.EqualTo(CodecFault.KeyringUnusable));
        Assert.That(error.Message, Does.Not.Contain("AQEB").And.Not.Contain("c2hv"));
    }

    [Test]
    public async Task ASecretIsReadOnceInFiveMinutesAndAtOnceForAnUnknownKey()
    {
        var (text, calls) = (One, 0);
        var keys = new KeyringSecret(Arn, (_, _) => Task.FromResult(Interlocked.Increment(ref calls) > 0 ? text : text), null, clock);
        var codec = new EncryptionCodec("orders", keys);
        var first = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => codec.EncodeAsync([Payloads.Secret])));
        await codec.DecodeAsync([.. first.SelectMany(it => it)]);
        Assert.That(calls, Is.EqualTo(1));
        text = Both;
        using var newer = new TemporaryKeyring(Both);
        var other = await new EncryptionCodec("orders", new KeyringFile(newer.Path)).EncodeAsync([Payloads.Secret]);
        clock.Pass(TimeSpan.FromSeconds(31));
        Assert.That((await codec.DecodeAsync(other)).Single(), Is.EqualTo(Payloads.Secret));
        Assert.That(calls, Is.EqualTo(2));
        text = Two;
        clock.Pass(TimeSpan.FromMinutes(5));
        Assert.ThrowsAsync<CodecException>(() => codec.DecodeAsync(first[0]));
        Assert.That(calls, Is.LessThanOrEqualTo(4));
    }

    [TestCase("ThrottlingException", 400, 3600, CodecFault.KeyUnavailable)]
    [TestCase("InternalServiceError", 500, 3600, CodecFault.KeyUnavailable)]
    [TestCase("ResourceNotFoundException", 400, 0, CodecFault.KeyringUnusable)]
    [TestCase("AccessDeniedException", 400, 0, CodecFault.KeyringUnusable)]
    public async Task ASecretThatIsGoneEndsSoonerThanOneThatCannotBeReached(
        string code, int status, int longer, CodecFault fault)
    {
        Exception? error = null;
        var keys = new KeyringSecret(
            Arn, (_, _) => error is null ? Task.FromResult(One) : Task.FromException<string>(error), null, clock);
        var codec = new EncryptionCodec("orders", keys);
        var encoded = await codec.EncodeAsync([Payloads.Secret]);
        error = FakeKms.Error(code, status);
        clock.Pass(TimeSpan.FromSeconds(299));
        await codec.DecodeAsync(encoded);
        if (longer > 0)
        {
            clock.Pass(TimeSpan.FromSeconds(longer));
            await codec.DecodeAsync(encoded);
        }
        clock.Pass(TimeSpan.FromSeconds(2));
        var thrown = Assert.ThrowsAsync<CodecException>(() => codec.DecodeAsync(encoded));
        Assert.That(thrown!.Fault, Is.EqualTo(fault));
        Assert.That(thrown.Message, Does.Contain(code).And.Not.Contain("text of the service"));
        error = null;
        clock.Pass(TimeSpan.FromSeconds(6));
        Assert.That((await codec.DecodeAsync(encoded)).Single(), Is.EqualTo(Payloads.Secret));
    }

    [Test]
    public void ASecretThatIsNotAKeyringIsRefusedWithoutItsText()
    {
        var codec = new EncryptionCodec("orders", new KeyringSecret(Arn, (_, _) => Task.FromResult("hunter2"), null, clock));
        var error = Assert.ThrowsAsync<CodecException>(() => codec.EncodeAsync([Payloads.Secret]));
        Assert.That(error!.Message, Does.Contain(Arn).And.Not.Contain("hunter2"));
    }
}
