/**
 * Namespace patterns of the configuration: a full namespace name in which `*` stands for any run of
 * characters, the empty one included. Nothing else is special, case matters, and a pattern covers
 * the whole name. Matching looks for the pieces between the stars from left to right and never goes
 * back, so no pattern and no name can make it slow.
 */

/** Whether a namespace is covered. */
export type NamespaceMatcher = (namespace: string) => boolean;

/** Whether `pattern` covers `namespace`. */
export function matchesNamespace(pattern: string, namespace: string): boolean {
  return compile(pattern)(namespace);
}

/** Compiles patterns once, for matching often: a namespace is covered when any pattern covers it. */
export function createNamespaceMatcher(patterns: readonly string[]): NamespaceMatcher {
  const exact = new Set(patterns.filter((pattern) => !pattern.includes('*')));
  const wild = patterns.filter((pattern) => pattern.includes('*')).map(compile);
  if (wild.length === 0) return (namespace) => exact.has(namespace);
  return (namespace) => exact.has(namespace) || wild.some((matches) => matches(namespace));
}

/** Whether some namespace is covered by both patterns. */
export function overlaps(a: string, b: string): boolean {
  // Most are names: with hundreds of them, letter by letter would take seconds.
  if (!a.includes('*')) return matchesNamespace(b, a);
  if (!b.includes('*')) return matchesNamespace(a, b);
  // reachable[j]: the part of `a` read so far can be brought in line with the first j characters of `b`.
  let reachable = Array.from({ length: b.length + 1 }, (_, j) => /^\**$/.test(b.slice(0, j)));
  for (const letter of a) {
    const next = new Array<boolean>(b.length + 1).fill(false);
    for (let j = 0; j <= b.length; j++) {
      const other = b[j - 1];
      next[j] =
        (letter === '*' && (reachable[j] === true || next[j - 1] === true)) ||
        (other === '*' && (reachable[j] === true || next[j - 1] === true)) ||
        (letter === other && reachable[j - 1] === true);
    }
    reachable = next;
  }
  return reachable[b.length] === true;
}

function compile(pattern: string): NamespaceMatcher {
  const pieces = pattern.split('*');
  const first = pieces[0] ?? '';
  if (pieces.length === 1) return (namespace) => namespace === first;
  const last = pieces[pieces.length - 1] ?? '';
  const middle = pieces.slice(1, -1).filter((piece) => piece !== '');
  return (namespace) => {
    const end = namespace.length - last.length;
    if (end < first.length || !namespace.startsWith(first) || !namespace.endsWith(last)) return false;
    let at = first.length;
    for (const piece of middle) {
      const found = namespace.indexOf(piece, at);
      if (found < 0 || found + piece.length > end) return false;
      at = found + piece.length;
    }
    return true;
  };
}
