/** Makes new inputs out of old ones. Repeatable: the same seed makes the same inputs. */

/** Numbers that parsers get wrong. */
const INTERESTING = [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

/** A source of numbers (mulberry32): small, fast, repeatable, and of no use for anything secret. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 to `below - 1`. */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}

type Mutation = (input: Buffer, random: Random, pool: readonly Buffer[], words: readonly Buffer[]) => Buffer;

const MUTATIONS: readonly Mutation[] = [
  // flip a bit
  (input, random) =>
    edit(input, (copy) => (copy[random.below(copy.length)] as number) ^ (1 << random.below(8)), random),
  // set a byte
  (input, random) => edit(input, () => random.below(256), random),
  // write an interesting number, big or little endian
  (input, random) => {
    if (input.length < 4) return input;
    const copy = Buffer.from(input);
    const at = random.below(copy.length - 3);
    const value = random.pick(INTERESTING);
    if (random.below(2) === 0) copy.writeUInt32BE(value, at);
    else copy.writeUInt32LE(value, at);
    return copy;
  },
  // cut off the end
  (input, random) => input.subarray(0, random.below(input.length + 1)),
  // take a piece out
  (input, random) => {
    const [from, to] = range(input, random);
    return Buffer.concat([input.subarray(0, from), input.subarray(to)]);
  },
  // repeat a piece
  (input, random) => {
    const [from, to] = range(input, random);
    const piece = input.subarray(from, to);
    const times = 1 + random.below(random.below(8) === 0 ? 200 : 3);
    return Buffer.concat([input.subarray(0, to), ...Array.from({ length: times }, () => piece), input.subarray(to)]);
  },
  // put a word of the format in
  (input, random, _pool, words) => {
    if (words.length === 0) return input;
    const at = random.below(input.length + 1);
    return Buffer.concat([input.subarray(0, at), random.pick(words), input.subarray(at)]);
  },
  // continue with another input
  (input, random, pool) => {
    const other = random.pick(pool);
    return Buffer.concat([
      input.subarray(0, random.below(input.length + 1)),
      other.subarray(random.below(other.length + 1)),
    ]);
  },
];

/** One to six mutations on top of each other, never longer than `maxLength`. */
export function mutate(
  input: Buffer,
  random: Random,
  pool: readonly Buffer[],
  words: readonly Buffer[],
  maxLength: number,
): Buffer {
  let result = input;
  for (let i = random.below(6); i >= 0; i--) result = random.pick(MUTATIONS)(result, random, pool, words);
  return result.length > maxLength ? result.subarray(0, maxLength) : result;
}

function edit(input: Buffer, byte: (copy: Buffer) => number, random: Random): Buffer {
  if (input.length === 0) return Buffer.from([random.below(256)]);
  const copy = Buffer.from(input);
  copy[random.below(copy.length)] = byte(copy);
  return copy;
}

function range(input: Buffer, random: Random): [number, number] {
  const from = random.below(input.length + 1);
  return [from, Math.min(input.length, from + 1 + random.below(random.below(4) === 0 ? input.length + 1 : 8))];
}
