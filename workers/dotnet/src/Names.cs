using System.Globalization;
using System.Text.RegularExpressions;

namespace TemporalCodec;

/// <summary>Names that stand in messages, shown so that a line stays a line.</summary>
internal static class Names
{
    private const int LongestShown = 256;

    /// <summary>A name that came over the wire, as it may stand in an error.</summary>
    public static string Shown(string name)
    {
        var part = name.Length > LongestShown ? name[..LongestShown] : name;
        return string.Concat(part.Select(it =>
            char.GetUnicodeCategory(it) is UnicodeCategory.Control or UnicodeCategory.Format ? '\uFFFD' : it));
    }

    /// <summary>Names for an error, sorted.</summary>
    public static string Listed(IEnumerable<string> names)
    {
        var sorted = names.Order(StringComparer.Ordinal).ToList();
        return sorted.Count == 0 ? "none" : string.Join(", ", sorted);
    }

    /// <summary>Matches full namespace names; * in a pattern stands for any run of characters.</summary>
    public static Predicate<string> Matcher(IReadOnlyCollection<string> patterns)
    {
        if (patterns.Any(string.IsNullOrEmpty))
            throw new CodecException(CodecFault.Options, "AlsoDecode must name namespaces");
        var expressions = patterns
            .Select(it => new Regex(
                $"^(?:{string.Join(".*", it.Split('*').Select(Regex.Escape))})\\z",
                RegexOptions.Singleline | RegexOptions.CultureInvariant))
            .ToList();
        return name => expressions.Exists(it => it.IsMatch(name));
    }
}
