package temporalcodec;

import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Names that stand in messages, shown so that a line stays a line. */
final class Names {
  private static final int LONGEST_SHOWN = 256;

  private Names() {}

  /** A name that came over the wire, as it may stand in an error: printable, and of at most 256 characters. */
  static String shown(String name) {
    return name.codePoints()
        .limit(LONGEST_SHOWN)
        .map(it -> Character.isISOControl(it) || Character.getType(it) == Character.FORMAT ? '\uFFFD' : it)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }

  static String shown(byte[] name) {
    return shown(new String(name, StandardCharsets.UTF_8));
  }

  /** Names for an error, sorted. */
  static String listed(Collection<String> names) {
    return names.isEmpty() ? "none" : String.join(", ", new TreeSet<>(names));
  }

  /** Matches full namespace names; {@code *} in a pattern stands for any run of characters. */
  static Predicate<String> matcher(List<String> patterns) {
    if (patterns.isEmpty()) return name -> false;
    if (patterns.contains(""))
      throw new CodecException(CodecException.Reason.OPTIONS, "alsoDecode must name namespaces");
    String expression =
        patterns.stream()
            .map(it -> Pattern.compile("\\*").splitAsStream(it + "\0").map(Pattern::quote).collect(Collectors.joining(".*")))
            .map(it -> it.replace("\0", ""))
            .collect(Collectors.joining("|"));
    return Pattern.compile(expression, Pattern.DOTALL).asMatchPredicate();
  }
}
