using NUnit.Framework;
using Temporalio.Api.Common.V1;

namespace TemporalCodec.Tests;

/// <summary>How often KMS is asked, who waits for it, and what its faults become.</summary>
public sealed class KmsKeysTests
{
    private const string Key = "arn:aws:kms:eu-central-1:111122223333:key/new";
    private const string Other = "arn:aws:kms:eu-central-1:111122223333:key/old";

    private readonly FakeKms kms = FakeKms.Create();

    [Test]
    public async Task AThousandPayloadsTakeOneCallEachWay()
    {
        var codec = CodecOf();
        var encoded = await codec.EncodeAsync([.. Enumerable.Range(0, 1000).Select(it => Payloads.Of($"{it}"))]);
        var reader = CodecOf();
        Assert.That((await reader.DecodeAsync(encoded)).Count, Is.EqualTo(1000));
        Assert.That((kms.Generated, kms.Decrypted), Is.EqualTo((1, 1)));
    }

    [Test]
    public async Task ManyDataKeysTakeOneCallEachAndThenNone()
    {
        var encoded = await Written(200);
        var reader = CodecOf();
        await reader.DecodeAsync(encoded);
        await reader.DecodeAsync(encoded);
        Assert.That((kms.Generated, kms.Decrypted), Is.EqualTo((200, 200)));
        var small = CodecOf(new() { MaxKeys = 10 });
        await small.DecodeAsync(encoded);
        await small.DecodeAsync([.. encoded.TakeLast(10)]);
        Assert.That(kms.Decrypted, Is.EqualTo(400));
        await small.DecodeAsync([encoded[0]]);
        Assert.That(kms.Decrypted, Is.EqualTo(401));
    }

    [Test]
    public async Task ColdCallersShareACall()
    {
        kms.Before = _ => Task.Delay(50);
        var codec = CodecOf();
        var encoded = await Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => codec.EncodeAsync([Payloads.Secret])));
        var reader = CodecOf();
        await Task.WhenAll(encoded.Select(it => reader.DecodeAsync(it)));
        Assert.That((kms.Generated, kms.Decrypted), Is.EqualTo((1, 1)));
    }

    [Test]
    public async Task NothingCachedWaitsForACallThatHangs()
    {
        var encoded = await Written(2);
        var codec = CodecOf();
        await codec.DecodeAsync([encoded[0]]);
        var answer = new TaskCompletionSource();
        kms.Before = _ => answer.Task;
        var hanging = codec.DecodeAsync([encoded[1]]);
        for (var i = 0; i < 100; i++) await codec.DecodeAsync([encoded[0]]);
        Assert.That(hanging.IsCompleted, Is.False);
        answer.SetResult();
        Assert.That((await hanging).Single(), Is.EqualTo(Payloads.Secret));
    }

    [Test]
    public async Task ACallThatHangsIsGivenUpAndTriedAgain()
    {
        var encoded = await Written(1);
        var codec = CodecOf(new() { Timeout = TimeSpan.FromSeconds(0.5) });
        kms.Before = _ => Task.Delay(Timeout.Infinite);
        var error = Assert.ThrowsAsync<CodecException>(() => codec.DecodeAsync(encoded));
        Assert.That(error!.Fault, Is.EqualTo(CodecFault.KeyUnavailable));
        Assert.That(error.Message, Does.Contain("within 0.5 s"));
        kms.Before = _ => Task.CompletedTask;
        Assert.That(() => codec.DecodeAsync(encoded).ContinueWith(it => it.IsCompletedSuccessfully).Result, Is.True.After(10_000, 100));
    }

    [Test]
    public async Task AKeyWritesForADayReadsForFiveMinutesAndIsHeldToItsBounds()
    {
        var clock = new Clock();
        var codec = CodecOf(clock: clock);
        var encoded = await codec.EncodeAsync([Payloads.Secret]);
        await codec.DecodeAsync(encoded);
        clock.Pass(TimeSpan.FromMinutes(5));
        await codec.DecodeAsync(encoded);
        await codec.EncodeAsync([Payloads.Secret]);
        Assert.That((kms.Generated, kms.Decrypted), Is.EqualTo((1, 2)));
        clock.Pass(TimeSpan.FromDays(1));
        await codec.EncodeAsync([Payloads.Secret]);
        Assert.That(kms.Generated, Is.EqualTo(2));
        var narrow = CodecOf(new() { WriteBytes = 10 });
        for (var i = 0; i < 3; i++) await narrow.EncodeAsync([Payloads.Secret]);
        Assert.That(kms.Generated, Is.EqualTo(5));
    }

    [Test]
    public async Task AKeyWritesOnForAnHourWhileKmsCannotAnswerAndNotAfterARefusal()
    {
        var clock = new Clock();
        var codec = CodecOf(clock: clock);
        await codec.EncodeAsync([Payloads.Secret]);
        kms.Before = _ => throw FakeKms.Error("KMSInternalException", 500);
        clock.Pass(TimeSpan.FromDays(1));
        await codec.EncodeAsync([Payloads.Secret]);
        clock.Pass(TimeSpan.FromHours(1));
        var error = Assert.ThrowsAsync<CodecException>(() => codec.EncodeAsync([Payloads.Secret]));
        Assert.That(error!.Fault, Is.EqualTo(CodecFault.KeyUnavailable));
        kms.Before = _ => throw FakeKms.Error("AccessDeniedException", 400);
        clock.Pass(TimeSpan.FromSeconds(1));
        error = Assert.ThrowsAsync<CodecException>(() => codec.EncodeAsync([Payloads.Secret]));
        Assert.That(error!.Fault, Is.EqualTo(CodecFault.CannotEncode));
        Assert.That(error.Message, Is.EqualTo($"KMS refuses the key {Key}: AccessDeniedException"));
    }

    [Test]
    public async Task AGraceDoesNotOutlastTheBytesOfAKey()
    {
        var clock = new Clock();
        var codec = CodecOf(new() { WriteBytes = 60 }, clock);
        await codec.EncodeAsync([Payloads.Secret]);
        kms.Before = _ => throw FakeKms.Error("KMSInternalException", 500);
        clock.Pass(TimeSpan.FromDays(1));
        Assert.ThrowsAsync<CodecException>(() => codec.EncodeAsync([Payloads.Of(new string('x', 59))]));
    }

    [Test]
    public async Task ARefusedKeyStopsWritingAndIsNotAskedAgainAtOnce()
    {
        var clock = new Clock();
        var codec = CodecOf(clock: clock);
        var encoded = await codec.EncodeAsync([Payloads.Secret]);
        kms.Before = it => it == "Decrypt" ? throw FakeKms.Error("AccessDeniedException", 400) : Task.CompletedTask;
        for (var i = 0; i < 5; i++) Assert.ThrowsAsync<CodecException>(() => codec.DecodeAsync(encoded));
        Assert.That(kms.Decrypted, Is.EqualTo(1));
        await codec.EncodeAsync([Payloads.Secret]);
        Assert.That(kms.Generated, Is.EqualTo(2));
        kms.Before = _ => Task.CompletedTask;
        clock.Pass(TimeSpan.FromSeconds(2));
        await codec.DecodeAsync(encoded);
    }

    [Test]
    public async Task OneKeyWritesAndOthersReadAndUnlistedOnesAreNeverAsked()
    {
        var older = await new EncryptionCodec("orders", new KmsKeys(_ => kms.Client, Other)).EncodeAsync([Payloads.Secret]);
        var both = new EncryptionCodec("orders", new KmsKeys(_ => kms.Client, Key, Other));
        Assert.That((await both.DecodeAsync(older)).Single(), Is.EqualTo(Payloads.Secret));
        var calls = kms.Decrypted;
        var error = Assert.ThrowsAsync<CodecException>(() => CodecOf().DecodeAsync(older));
        Assert.That(error!.Message, Does.Contain($"needs the key {Other}, and the codec has {Key}"));
        Assert.ThrowsAsync<CodecException>(() => CodecOf(ns: "payments").DecodeAsync(older));
        Assert.That(kms.Decrypted, Is.EqualTo(calls));
        var reading = new EncryptionCodec("orders", new KmsKeys(_ => kms.Client, null, Other));
        Assert.That((await reading.DecodeAsync(older)).Single(), Is.EqualTo(Payloads.Secret));
        Assert.ThrowsAsync<CodecException>(() => reading.EncodeAsync([Payloads.Secret]));
    }

    private async Task<List<Payload>> Written(int dataKeys)
    {
        var writer = CodecOf(new() { WriteMessages = 1 });
        return [.. await writer.EncodeAsync([.. Enumerable.Repeat(Payloads.Secret, dataKeys)])];
    }

    private EncryptionCodec CodecOf(CacheSettings? cache = null, TimeProvider? clock = null, string ns = "orders") =>
        new(ns, new KmsKeys(_ => kms.Client, Key), new() { Cache = cache ?? new() }, clock ?? TimeProvider.System);
}
