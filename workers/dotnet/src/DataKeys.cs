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

    private readonly KeySource source;
    private readonly CacheSettings settings;
    private readonly TimeProvider clock;
    private readonly object gate = new();
    private readonly Dictionary<string, LinkedListNode<Read>> read = new(StringComparer.Ordinal);
    private readonly LinkedList<Read> leastRecentFirst = new();
    private readonly Dictionary<string, Written> written = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Task<DataKey>> flights = new(StringComparer.Ordinal);

    public DataKeys(KeySource source, CacheSettings settings, TimeProvider clock)
    {
        this.source = source;
        this.settings = settings;
        this.clock = clock;
    }

    private DateTimeOffset Now => clock.GetUtcNow();

    /// <summary>The key that writes one more payload of so many bytes, and counts it.</summary>
    public async Task<DataKey> ForWritingAsync(IReadOnlyDictionary<string, string> context, int length)
    {
        var name = "write " + NameOf(context, Array.Empty<WrappedKey>());
        while (true)
        {
            var generation = source.Generation;
            lock (gate)
            {
                if (written.TryGetValue(name, out var found) && MayWrite(found, generation, length))
                {
                    found.Messages--;
                    found.Bytes -= length;
                    return found.Key;
                }
            }
            await FetchAsync(name, () => GenerateAsync(name, context)).ConfigureAwait(false);
        }
    }

    /// <summary>The key that opens a message, if it is in memory.</summary>
    public DataKey? ForReading(IReadOnlyList<WrappedKey> wrapped, IReadOnlyDictionary<string, string> context)
    {
        var name = "read " + NameOf(context, wrapped);
        lock (gate)
        {
            if (!read.TryGetValue(name, out var node) || node.Value.Expires <= Now) return null;
            leastRecentFirst.Remove(node);
            leastRecentFirst.AddLast(node);
            return node.Value.Key;
        }
    }

    /// <summary>Unwraps the key of a message, with everybody else who waits for it.</summary>
    public Task<DataKey> UnwrapAsync(IReadOnlyList<WrappedKey> wrapped, IReadOnlyDictionary<string, string> context)
    {
        var name = "read " + NameOf(context, wrapped);
        return FetchAsync(name, () => UnwrapAsync(name, wrapped, context));
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

    private bool MayWrite(Written key, int generation, int length)
    {
        if (key.Generation != generation || key.Messages < 1) return false;
        // One that is larger than all bytes together may be the first.
        if (key.Bytes < length && key.Messages < settings.WriteMessages) return false;
        return Now < key.Since + settings.WriteTime || Now < key.NextTry;
    }

    private async Task<DataKey> FetchAsync(string name, Func<Task<DataKey>> call)
    {
        Task<DataKey>? flight;
        lock (gate)
        {
            if (!flights.TryGetValue(name, out flight))
            {
                // Not under the lock: the call may block before it first awaits.
                flight = Task.Run(call);
                flights[name] = flight;
                _ = flight.ContinueWith(
                    _ =>
                    {
                        lock (gate) flights.Remove(name);
                    },
                    TaskScheduler.Default);
            }
        }
        try
        {
            return await flight.WaitAsync(settings.Timeout, clock).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw new CodecException(
                CodecFault.KeyUnavailable, $"the key service did not answer within {settings.Timeout.TotalSeconds:0.#} s");
        }
        catch (CodecException e)
        {
            // A new one, so that no two tasks share a trace.
            throw new CodecException(e.Fault, e.Message);
        }
    }

    private async Task<DataKey> GenerateAsync(string name, IReadOnlyDictionary<string, string> context)
    {
        var generation = source.Generation;
        DataKey key;
        try
        {
            key = await source.GenerateAsync(context).ConfigureAwait(false);
        }
        catch (CodecException e)
        {
            return InGrace(name, generation, e) ?? throw new CodecException(e.Fault, e.Message);
        }
        lock (gate) written[name] = new Written(key, generation, Now, settings);
        return key;
    }

    /// <summary>The key in memory through a fault that may pass; after a refusal it is forgotten.</summary>
    private DataKey? InGrace(string name, int generation, CodecException fault)
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
            if (key.Generation != generation || key.Messages < 1 || key.Bytes < 1 || Now >= end) return null;
            key.NextTry = Now + BetweenTries < end ? Now + BetweenTries : end;
            return key.Key;
        }
    }

    private async Task<DataKey> UnwrapAsync(
        string name, IReadOnlyList<WrappedKey> wrapped, IReadOnlyDictionary<string, string> context)
    {
        var key = await source.UnwrapAsync(wrapped, context).ConfigureAwait(false);
        lock (gate)
        {
            if (read.Remove(name, out var older)) leastRecentFirst.Remove(older);
            read[name] = leastRecentFirst.AddLast(new Read(name, key, Now + settings.ReadTime));
            while (read.Count > settings.MaxKeys)
            {
                read.Remove(leastRecentFirst.First!.Value.Name);
                leastRecentFirst.RemoveFirst();
            }
        }
        return key;
    }

    private sealed record Read(string Name, DataKey Key, DateTimeOffset Expires);

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
