namespace TemporalCodec;

/// <summary>Bounds of the cache of data keys.</summary>
public sealed record CacheSettings
{
    /// <summary>Gets how long a key reads after it was fetched: the time for which a revoked key still decodes.</summary>
    public TimeSpan ReadTime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Gets how long a key writes, a day at most. It is apart from <see cref="ReadTime"/> because it decides how many keys,
    /// and so calls, a history costs all its readers.
    /// </summary>
    public TimeSpan WriteTime { get; init; } = TimeSpan.FromDays(1);

    /// <summary>Gets the payloads that one key writes.</summary>
    public long WriteMessages { get; init; } = 1_000_000;

    /// <summary>Gets the bytes that one key writes.</summary>
    public long WriteBytes { get; init; } = 64L << 30;

    /// <summary>
    /// Gets how long a key goes on writing after <see cref="WriteTime"/> while the key service cannot answer; never after
    /// it has refused.
    /// </summary>
    public TimeSpan WriteGrace { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Gets the keys that are kept for reading: more than the longest history that is replayed has.</summary>
    public int MaxKeys { get; init; } = 20_000;

    /// <summary>Gets how long a payload waits for the key service: a workflow task has 10 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>Refuses bounds that bound nothing.</summary>
    internal void Check()
    {
        var bounds = new[]
        {
            (nameof(ReadTime), ReadTime.Ticks), (nameof(WriteTime), WriteTime.Ticks),
            (nameof(WriteMessages), WriteMessages), (nameof(WriteBytes), WriteBytes),
            (nameof(WriteGrace), WriteGrace.Ticks), (nameof(MaxKeys), MaxKeys), (nameof(Timeout), Timeout.Ticks),
        };
        foreach (var (name, value) in bounds)
            if (value <= 0) throw new CodecException(CodecFault.Options, $"cache: {name} must be above 0");
        if (WriteTime > TimeSpan.FromDays(1))
            throw new CodecException(CodecFault.Options, "cache: WriteTime must be at most a day");
    }
}
