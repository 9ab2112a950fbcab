namespace TemporalCodec;

/// <summary>
/// The keyring file: wrapping keys for a machine without AWS, shared with the local codec server. All of its keys read,
/// its <c>current</c> writes, and a changed file is picked up within a second. While the file is gone, broken or open to
/// others, the keys stay as they were for five minutes, and then nothing is read or written.
/// </summary>
public sealed class KeyringFile : KeySource
{
    private const int LargestFile = 1_048_576;

    /// <summary>How long what was read of the file counts as its present state.</summary>
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(1);

    /// <summary>How long it counts while the file cannot be used: somebody may have wanted to take a key out of it.</summary>
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(5);

    private readonly string path;
    private readonly TimeProvider clock;
    private readonly object gate = new();
    private string text;
    private Keyring keyring;
    private int generation;
    private DateTimeOffset looked;
    private DateTimeOffset usable;
    private CodecException? problem;

    /// <summary>Initializes a new instance of the <see cref="KeyringFile"/> class.</summary>
    /// <param name="path">The file, such as <c>.codec-server/keyring.json</c>.</param>
    /// <exception cref="CodecException">It cannot be read at the start.</exception>
    public KeyringFile(string path)
        : this(path, TimeProvider.System)
    {
    }

    internal KeyringFile(string path, TimeProvider clock)
    {
        if (string.IsNullOrEmpty(path)) throw new CodecException(CodecFault.Options, "KeyringFile needs the path of a file");
        this.path = path;
        this.clock = clock;
        text = ReadPrivateFile();
        keyring = new Keyring(text, Origin);
        looked = usable = clock.GetUtcNow();
    }

    private string Origin => $"the keyring {path}";

    /// <inheritdoc/>
    internal override ValueTask<int> GenerationAsync() => new(Look().Generation);

    /// <inheritdoc/>
    internal override Task<DataKey> GenerateAsync(IReadOnlyDictionary<string, string> context, CancellationToken cancel) =>
        Task.FromResult(Look().Keyring.Generate(context));

    /// <inheritdoc/>
    internal override Task<DataKey> UnwrapAsync(
        IReadOnlyList<WrappedKey> wrapped, IReadOnlyDictionary<string, string> context, CancellationToken cancel) =>
        Task.FromResult(Look().Keyring.Unwrap(wrapped, context));

    /// <summary>The keyring as the file has it, or what is wrong with the file once that lasts.</summary>
    private (Keyring Keyring, int Generation) Look()
    {
        lock (gate)
        {
            var now = clock.GetUtcNow();
            if (now - looked >= BetweenLooks)
            {
                looked = now;
                ReadAgain(now);
            }
            if (problem is not null && now - usable >= Kept) throw new CodecException(problem.Fault, problem.Message);
            return (keyring, generation);
        }
    }

    private void ReadAgain(DateTimeOffset now)
    {
        try
        {
            var read = ReadPrivateFile();
            if (read != text)
            {
                keyring = new Keyring(read, Origin);
                text = read;
                generation++;
            }
            problem = null;
            usable = now;
        }
        catch (CodecException e)
        {
            problem = e;
        }
    }

    private string ReadPrivateFile()
    {
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists) throw Unusable("does not exist");
            if (file.Length > LargestFile) throw Unusable($"is too large: {file.Length} bytes");
            if (!OperatingSystem.IsWindows() && ((int)file.UnixFileMode & 0b000_111_111) != 0)
                throw Unusable($"can be read or changed by others: run \"chmod 600 {path}\"");
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable($"cannot be read ({e.GetType().Name})");
        }
    }

    private CodecException Unusable(string why) => new(CodecFault.KeyringUnusable, $"{Origin} {why}");
}
