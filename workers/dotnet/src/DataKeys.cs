using System.Security.Cryptography;
using System.Text;

namespace TemporalCodec;

/// <summary>
/// The cache of data keys: bounded in number and age, each fetched once however many payloads wait for it. The lock is
/// never held through a call, so nothing that is cached waits for one.
/// </summary>
internal sealed class DataKeys
{
    /// <summary>Between two tries while a key writes on past its life because the key service cannot answer.</summary>
    private static readonly TimeSpan BetweenTries = TimeSpan.FromSeconds(10);

    /// <summary>
    /// For how long a refusal, and a fault that may pass, is answered from memory: a history full of payloads under one key
    /// then makes one call, and a passing fault is soon tried again.
    /// </summary>
    private static readonly TimeSpan RefusalKept = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FaultKept = TimeSpan.FromSeconds(0.25);

    private readonly KeySource source;
    private readonly CacheSettings settings;
    private readonly TimeProvider clock;
    private readonly object gate = new();
    private readonly Dictionary<string, LinkedListNode<Read>> read = new(StringComparer.Ordinal);
    private readonly LinkedList<Read> leastRecentFirst = new();
    private readonly Dictionary<string, Written> written = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Task<DataKey>> flights = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (CodecException Error, DateTimeOffset Until)> failed = new(StringComparer.Ordinal);

    public DataKeys(KeySource source, CacheSettings settings, TimeProvider clock)
    {
        this.source = source;
        this.settings = settings;
        this.clock = clock;
    }

    private DateTimeOffset Now => clock.GetUtcNow();

    /// <summary>The key that writes one more payload of so many bytes, and counts it.</summary>
    /// <exception cref="CodecException">The key service refuses, or cannot answer in time.</exception>
    public async Task<DataKey> ForWritingAsync(IReadOnlyDictionary<string, string> context, int length)
    {
        var name = "write " + NameOf(context, []);
        while (true)
        {
            var generation = await source.GenerationAsync().ConfigureAwait(false);
            // A key that somebody else fetched meanwhile is counted like one that was there.
            if (Counted(name, generation, length) is { } key) return key;
            await FetchAsync(
                name, () => written.TryGetValue(name, out var it) && MayWrite(it, generation, length) ? it.Key : null,
                cancel => GenerateAsync(name, generation, context, length, cancel)).ConfigureAwait(false);
        }
    }

    /// <summary>The key that opens a message: from memory, or unwrapped with everybody else who waits for it.</summary>
    /// <exception cref="CodecException">No key opens it, or the key service cannot answer in time.</exception>
    public async Task<DataKey> ForReadingAsync(
        IReadOnlyList<WrappedKey> wrapped, IReadOnlyDictionary<string, string> context)
    {
        var name = "read " + NameOf(context, wrapped);
        var generation = await source.GenerationAsync().ConfigureAwait(false);
        DataKey? found;
        lock (gate) found = Fresh(name, generation);
        return found ?? await FetchAsync(
            name, () => Fresh(name, generation), cancel => UnwrapAsync(name, generation, wrapped, context, cancel))
            .ConfigureAwait(false);
    }

    private static string NameOf(IReadOnlyDictionary<string, string> context, IReadOnlyList<WrappedKey> wrapped)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Add(byte[] part)
        {
            digest.AppendData(BitConverter.GetBytes(part.Length));
            digest.AppendData(part);
        }
        foreach (var (key, value) in context.OrderBy(it => it.Key, StringComparer.Ordinal))
        {
            Add(Encoding.UTF8.GetBytes(key));
            Add(Encoding.UTF8.GetBytes(value));
        }
        foreach (var edk in wrapped)
        {
            Add(Encoding.UTF8.GetBytes(edk.Provider));
            Add(edk.Info);
            Add(edk.Ciphertext);
        }
        return Convert.ToBase64String(digest.GetHashAndReset());
    }

    private DataKey? Counted(string name, int generation, int length)
    {
        lock (gate)
        {
            if (!written.TryGetValue(name, out var found) || !MayWrite(found, generation, length)) return null;
            found.Messages--;
            found.Bytes -= length;
            return found.Key;
        }
    }

    /// <summary>The key in memory, if it still counts. Under the lock.</summary>
    private DataKey? Fresh(string name, int generation)
    {
        if (!read.TryGetValue(name, out var node)) return null;
        // What a key opened that is not there any more stays open no longer.
        if (node.Value.Generation != generation || node.Value.Expires <= Now) return null;
        leastRecentFirst.Remove(node);
        leastRecentFirst.AddLast(node);
        return node.Value.Key;
    }

    private bool MayWrite(Written key, int generation, int length)
    {
        if (key.Generation != generation || key.Messages < 1) return false;
        // One that is larger than all bytes together may be the first.
        if (key.Bytes < length && key.Messages < settings.WriteMessages) return false;
        return Now < key.Since + settings.WriteTime || Now < key.NextTry;
    }

    /// <summary>Calls for a key, once for all who wait. <c>landed</c> gives it if it came since it was missed, under the lock.</summary>
    private async Task<DataKey> FetchAsync(string name, Func<DataKey?> landed, Func<CancellationToken, Task<DataKey>> call)
    {
        Task<DataKey>? flight;
        lock (gate)
        {
            if (!flights.TryGetValue(name, out flight))
            {
                if (landed() is { } key) return key;
                if (failed.TryGetValue(name, out var failure) && Now < failure.Until) throw Anew(failure.Error);
                // Not under the lock: the call may block before it first awaits.
                flight = Task.Run(() => FlyAsync(name, call));
                flights[name] = flight;
            }
        }
        try
        {
            return await flight.WaitAsync(settings.Timeout, clock).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw TooSlow();
        }
        catch (CodecException e)
        {
            throw Anew(e);
        }
    }

    /// <summary>One call, which ends even if its client would wait for ever.</summary>
    private async Task<DataKey> FlyAsync(string name, Func<CancellationToken, Task<DataKey>> call)
    {
        CodecException? error = null;
        try
        {
            using var cancel = new CancellationTokenSource(settings.Timeout, clock);
            return await call(cancel.Token).WaitAsync(settings.Timeout, clock).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            error = TooSlow();
            throw error;
        }
        catch (CodecException e)
        {
            error = e;
            throw;
        }
        finally
        {
            lock (gate)
            {
                flights.Remove(name);
                failed.Remove(name);
                // A keyring is asked again at once: it may have the key by now.
                if (error is not null && source.AsksForEachKey) Remember(name, error);
            }
        }
    }

    private void Remember(string name, CodecException error)
    {
        if (failed.Count >= settings.MaxKeys) failed.Clear();
        failed[name] = (error, Now + (error.Fault == CodecFault.KeyUnavailable ? FaultKept : RefusalKept));
    }

    private CodecException TooSlow() =>
        new(CodecFault.KeyUnavailable, $"the key service did not answer within {settings.Timeout.TotalSeconds:0.#} s");

    /// <summary>A new one, so that no two tasks share a trace.</summary>
    private static CodecException Anew(CodecException error) => new(error.Fault, error.Message);

    private async Task<DataKey> GenerateAsync(
        string name, int generation, IReadOnlyDictionary<string, string> context, int length, CancellationToken cancel)
    {
        DataKey key;
        try
        {
            key = await source.GenerateAsync(context, cancel).ConfigureAwait(false);
        }
        catch (CodecException e)
        {
            return InGrace(name, generation, length, e) ?? throw Anew(e);
        }
        lock (gate) written[name] = new Written(key, generation, Now, settings);
        return key;
    }

    /// <summary>The key in memory through a fault that may pass; after a refusal it is forgotten.</summary>
    private DataKey? InGrace(string name, int generation, int length, CodecException fault)
    {
        lock (gate)
        {
            if (fault.Fault != CodecFault.KeyUnavailable)
            {
                written.Remove(name);
                return null;
            }
            if (!written.TryGetValue(name, out var key)) return null;
            var end = key.Since + settings.WriteTime + settings.WriteGrace;
            if (key.Generation != generation || key.Messages < 1 || key.Bytes < length || Now >= end) return null;
            key.NextTry = Now + BetweenTries < end ? Now + BetweenTries : end;
            return key.Key;
        }
    }

    private async Task<DataKey> UnwrapAsync(
        string name, int generation, IReadOnlyList<WrappedKey> wrapped, IReadOnlyDictionary<string, string> context,
        CancellationToken cancel)
    {
        DataKey key;
        try
        {
            key = await source.UnwrapAsync(wrapped, context, cancel).ConfigureAwait(false);
        }
        catch (CodecException e)
        {
            if (e.Revokes) ForgetWrittenUnder(wrapped);
            throw;
        }
        lock (gate)
        {
            if (read.Remove(name, out var older)) leastRecentFirst.Remove(older);
            read[name] = leastRecentFirst.AddLast(new Read(name, key, generation, Now + settings.ReadTime));
            while (read.Count > settings.MaxKeys)
            {
                read.Remove(leastRecentFirst.First!.Value.Name);
                leastRecentFirst.RemoveFirst();
            }
        }
        return key;
    }

    /// <summary>A key that reads no more must not go on writing: the next payload asks for a new data key.</summary>
    private void ForgetWrittenUnder(IReadOnlyList<WrappedKey> wrapped)
    {
        lock (gate)
        {
            var names = written
                .Where(it => it.Value.Key.Wrapped.Any(own => wrapped.Any(other => own.Info.SequenceEqual(other.Info))))
                .Select(it => it.Key)
                .ToList();
            foreach (var name in names) written.Remove(name);
        }
    }

    private sealed record Read(string Name, DataKey Key, int Generation, DateTimeOffset Expires);

    /// <summary>The key that writes now, and what it may still write.</summary>
    private sealed class Written
    {
        public Written(DataKey key, int generation, DateTimeOffset now, CacheSettings settings)
        {
            Key = key;
            Generation = generation;
            Since = now;
            NextTry = now;
            Messages = settings.WriteMessages;
            Bytes = settings.WriteBytes;
        }

        public DataKey Key { get; }

        public int Generation { get; }

        public DateTimeOffset Since { get; }

        public DateTimeOffset NextTry { get; set; }

        public long Messages { get; set; }

        public long Bytes { get; set; }
    }
}
