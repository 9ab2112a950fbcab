using NUnit.Framework;
using Temporalio.Client;
using Temporalio.Converters;
using Temporalio.Exceptions;

namespace TemporalCodec.Tests;

public sealed class PluginTests : IDisposable
{
    private readonly TemporaryKeyring keyring = new(TemporaryKeyring.Document("one", ("one", 1)));

    public void Dispose() => keyring.Dispose();

    [Test]
    public void TheNamespaceIsTheClientsOwn()
    {
        var plugin = new EncryptionPlugin(new KeyringFile(keyring.Path));
        var first = Configured(plugin, "orders");
        var second = Configured(plugin, "payments");
        Assert.That(((EncryptionCodec)first.PayloadCodec!).Namespace, Is.EqualTo("orders"));
        Assert.That(((EncryptionCodec)second.PayloadCodec!).Namespace, Is.EqualTo("payments"));
    }

    [Test]
    public async Task MessagesAndTracesOfFailuresAreEncrypted()
    {
        var converter = Configured(new EncryptionPlugin(new KeyringFile(keyring.Path)), "orders");
        var failure = await converter.ToFailureAsync(Thrown(new ApplicationFailureException(
            "card 4111 declined", new InvalidOperationException("inner 4111"), "Declined", details: ["detail 4111"])));
        Assert.That(failure.ToString(), Does.Not.Contain("4111").And.Not.Contain(nameof(Thrown)));
        Assert.That(failure.ToString(), Does.Contain("Declined"));
        var back = await converter.ToExceptionAsync(failure);
        Assert.That(back.Message, Is.EqualTo("card 4111 declined"));
        Assert.That(back.InnerException!.Message, Is.EqualTo("inner 4111"));
    }

    [Test]
    public async Task TheCodecsOwnErrorsStayReadable()
    {
        var converter = Configured(new EncryptionPlugin(new KeyringFile(keyring.Path)), "orders");
        var failure = await converter.ToFailureAsync(Thrown(new CodecException(CodecFault.CannotOpen, "needs the key one")));
        Assert.That(failure.Message, Is.EqualTo("needs the key one"));
    }

    [Test]
    public void FailuresStayPlainWhereThatIsAsked()
    {
        var plugin = new EncryptionPlugin(new KeyringFile(keyring.Path), new() { EncryptFailures = false });
        Assert.That(Configured(plugin, "orders").FailureConverter, Is.TypeOf<DefaultFailureConverter>());
    }

    [Test]
    public void AnotherCodecIsNotReplacedInSilence()
    {
        var options = new TemporalClientConnectOptions("localhost:7233")
        {
            DataConverter = DataConverter.Default with { PayloadCodec = new Nothing() },
        };
        var plugin = new EncryptionPlugin(new KeyringFile(keyring.Path));
        Assert.Throws<CodecException>(() => plugin.ConfigureClient(options.ToClientOptions()));
        Assert.Throws<CodecException>(() => new EncryptionPlugin(null!));
    }

    private static Exception Thrown(Exception exception)
    {
        try
        {
            throw exception;
        }
        catch (Exception e)
        {
            return e;
        }
    }

    private static DataConverter Configured(EncryptionPlugin plugin, string ns)
    {
        var options = new TemporalClientConnectOptions("localhost:7233") { Namespace = ns }.ToClientOptions();
        plugin.ConfigureClient(options);
        return options.DataConverter;
    }

    private sealed class Nothing : IPayloadCodec
    {
        public Task<IReadOnlyCollection<Temporalio.Api.Common.V1.Payload>> EncodeAsync(
            IReadOnlyCollection<Temporalio.Api.Common.V1.Payload> payloads) => Task.FromResult(payloads);

        public Task<IReadOnlyCollection<Temporalio.Api.Common.V1.Payload>> DecodeAsync(
            IReadOnlyCollection<Temporalio.Api.Common.V1.Payload> payloads) => Task.FromResult(payloads);
    }
}
