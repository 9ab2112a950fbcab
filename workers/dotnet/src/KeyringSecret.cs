using System.Text.RegularExpressions;
using Amazon.Runtime;

namespace TemporalCodec;

/// <summary>
/// The keys of a keyring document that is a secret of AWS Secrets Manager: all of them read, its <c>current</c> writes, and
/// there is no call for a data key. Whoever may read the secret reads every namespace that it serves.
/// <para>
/// What was read counts for five minutes, and for an hour more while Secrets Manager cannot be reached. A secret that can be
/// reached and not used (deleted, no right, a slip in the document) ends with its five minutes: somebody may have meant to
/// revoke it.
/// </para>
/// </summary>
public sealed class KeyringSecret : KeySource
{
    private const string KmsProvider = "aws-kms";

    private static readonly Regex Arn = new(
        @"^arn:aws[a-z0-9-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+\z", RegexOptions.CultureInvariant);

    /// <summary>How long what was read goes on after its time while the secret cannot be reached.</summary>
    private static readonly TimeSpan Stale = TimeSpan.FromHours(1);

    /// <summary>Between two readings that an unknown key causes.</summary>
    private static readonly TimeSpan Refresh = TimeSpan.FromSeconds(30);

    /// <summary>Between two tries while the secret cannot be read.</summary>
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(5);

    /// <summary>Bounds one reading.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private readonly string arn;
    private readonly Func<string, CancellationToken, Task<string>> ask;
    private readonly TimeSpan readTime;
    private readonly TimeProvider clock;
    private readonly object gate = new();
    private Known? known;
    private (CodecException Error, DateTimeOffset NextTry)? failure;
    private Task? reading;

    /// <summary>Initializes a new instance of the <see cref="KeyringSecret"/> class.</summary>
    /// <param name="arn">The ARN of the secret.</param>
    /// <param name="read">
    /// Gives the text of the secret's current version: a call of the AWS SDK's client for Secrets Manager, which is the
    /// program's, so that nobody else has to have it. It throws what that client throws: this tells a secret that is gone
    /// from a service that is.
    /// </param>
    /// <param name="readTime">
    /// How long a version counts without being read again, the time for which a revoked key still decodes; 5 minutes if null.
    /// </param>
    /// <exception cref="CodecException">An argument is missing or wrong.</exception>
    public KeyringSecret(string arn, Func<string, CancellationToken, Task<string>> read, TimeSpan? readTime = null)
        : this(arn, read, readTime, TimeProvider.System)
    {
    }

    internal KeyringSecret(
        string arn, Func<string, CancellationToken, Task<string>> read, TimeSpan? readTime, TimeProvider clock)
    {
        if (arn is null || !Arn.IsMatch(arn))
        {
            throw new CodecException(
                CodecFault.Options,
                $"{Names.Shown(arn ?? "null")} is not the ARN of a secret, such as arn:aws:secretsmanager:eu-central-1:111122223333:secret:codec-keyring-a1b2c3");
        }
        this.arn = arn;
        ask = read ?? throw new CodecException(CodecFault.Options, "KeyringSecret needs the call that reads the secret");
        this.readTime = readTime ?? TimeSpan.FromMinutes(5);
        if (this.readTime <= TimeSpan.Zero) throw new CodecException(CodecFault.Options, "KeyringSecret: readTime must be above 0");
        this.clock = clock;
    }

    /// <inheritdoc/>
    internal override async ValueTask<int> GenerationAsync() => (await GetAsync(readTime).ConfigureAwait(false)).Generation;

    /// <inheritdoc/>
    internal override async Task<DataKey> GenerateAsync(IReadOnlyDictionary<string, string> context, CancellationToken cancel) =>
        (await GetAsync(readTime).ConfigureAwait(false)).Keyring.Generate(context);

    /// <inheritdoc/>
    internal override async Task<DataKey> UnwrapAsync(
        IReadOnlyList<WrappedKey> wrapped, IReadOnlyDictionary<string, string> context, CancellationToken cancel)
    {
        var keyring = (await GetAsync(readTime).ConfigureAwait(false)).Keyring;
        if (!keyring.Opens(wrapped) && wrapped.Any(it => it.Provider != KmsProvider))
            keyring = (await GetAsync(readTime < Refresh ? readTime : Refresh).ConfigureAwait(false)).Keyring;
        return keyring.Unwrap(wrapped, context);
    }

    /// <summary>
    /// The keyring, read anew when what is known was confirmed longer ago than this. The lock is never held through a reading,
    /// and all who need one wait for the same.
    /// </summary>
    private async ValueTask<Known> GetAsync(TimeSpan atMost)
    {
        Task wait;
        lock (gate)
        {
            var now = clock.GetUtcNow();
            if (known is not null && now - known.Confirmed < atMost) return known;
            if (reading is null && failure is { } failed && now < failed.NextTry) return Counting(now);
            wait = reading ??= Task.Run(() => ReadAsync(now));
        }
        await wait.ConfigureAwait(false);
        lock (gate) return Counting(clock.GetUtcNow());
    }

    /// <summary>What was read before, for as long as it counts, or why there is none. Under the lock.</summary>
    private Known Counting(DateTimeOffset now)
    {
        var limit = failure?.Error.Fault == CodecFault.KeyUnavailable ? readTime + Stale : readTime;
        if (known is not null && now - known.Confirmed < limit) return known;
        var error = failure?.Error ?? new CodecException(CodecFault.KeyUnavailable, $"the secret {arn} was not read in time");
        throw new CodecException(error.Fault, error.Message);
    }

    private async Task ReadAsync(DateTimeOffset began)
    {
        Keyring? keyring = null;
        var text = string.Empty;
        CodecException? error = null;
        try
        {
            using var cancel = new CancellationTokenSource(Timeout, clock);
            text = await ask(arn, cancel.Token).WaitAsync(Timeout, clock).ConfigureAwait(false);
            keyring = new Keyring(text ?? string.Empty, $"the secret {arn}");
        }
        catch (CodecException e)
        {
            error = e;
        }
        catch (Exception e)
        {
            error = Fault(e);
        }
        lock (gate)
        {
            reading = null;
            if (error is not null)
            {
                failure = (error, clock.GetUtcNow() + Retry);
                return;
            }
            failure = null;
            known = known is { } older && older.Text == text
                ? older with { Confirmed = began }
                : new Known(keyring!, text!, (known?.Generation ?? 0) + 1, began);
        }
    }

    /// <summary>Tells a secret that was reached from one that may be there in a moment. Of AWS's error only its code gets out.</summary>
    private CodecException Fault(Exception error)
    {
        if (error is not AmazonServiceException service)
            return new(CodecFault.KeyUnavailable, $"Secrets Manager cannot give the secret {arn}: {error.GetType().Name}");
        return AwsFaults.MayPass(service)
            ? new(CodecFault.KeyUnavailable, $"Secrets Manager cannot give the secret {arn}: {AwsFaults.CodeOf(service)}")
            : new(CodecFault.KeyringUnusable, $"Secrets Manager refuses the secret {arn}: {AwsFaults.CodeOf(service)}");
    }

    private sealed record Known(Keyring Keyring, string Text, int Generation, DateTimeOffset Confirmed);
}
