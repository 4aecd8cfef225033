/**
 * What is known of things by a key of some words, in arrays of numbers: nothing is allocated for a thing, and nothing of it
 * is for the garbage collector to look at, where an object each would be copied, kept and looked through again and again.
 *
 * The table is bounded: it holds two generations. A new thing goes into the younger; when that is full, the elder is
 * forgotten and the younger takes its place, and a thing seen again moves back to the younger. So what was not heard of for
 * a whole generation is forgotten.
 */

/** Things with their keys, found by open addressing. */
class Generation {
  private keys: Uint32Array;
  /** What is known of each, in the order of the keys. */
  facts: Float64Array;
  /** 1 + the position of a thing, 0 for none. At most half full. */
  private slots = new Uint32Array(512);
  count = 0;

  constructor(
    private readonly words: number,
    numbers: number,
  ) {
    this.keys = new Uint32Array(256 * words);
    this.facts = new Float64Array(256 * numbers);
  }

  /** The position of the thing with this key; -1 when it is not there. */
  find(key: Uint32Array, hash: number): number {
    const { slots, keys, words } = this;
    const mask = slots.length - 1;
    for (let slot = hash & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const at = (slots[slot]! - 1) * words;
      let i = 0;
      while (i < words && keys[at + i] === key[i]) i++;
      if (i === words) return slots[slot]! - 1;
    }
    return -1;
  }

  /** A new thing with this key; its position. Of what is known of it nothing is set. */
  add(key: Uint32Array, hash: number): number {
    if (this.count * 2 >= this.slots.length) this.grow();
    this.keys.set(key, this.count * this.words);
    this.place(hash, ++this.count);
    return this.count - 1;
  }

  /** Forget everything. */
  clear(): void {
    this.count = 0;
    this.slots.fill(0);
  }

  private place(hash: number, entry: number): void {
    const mask = this.slots.length - 1;
    let slot = hash & mask;
    while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
    this.slots[slot] = entry;
  }

  private grow(): void {
    const { keys, facts, words } = this;
    this.keys = new Uint32Array(keys.length * 2);
    this.keys.set(keys);
    this.facts = new Float64Array(facts.length * 2);
    this.facts.set(facts);
    this.slots = new Uint32Array(this.slots.length * 2);
    for (let i = 0; i < this.count; i++) this.place(hashOf(this.keys, i * words, words), i + 1);
  }
}

/** Murmur's mixing step for each word of a key that is not 0, as most are where addresses are short. */
function hashOf(words: Uint32Array, at: number, count: number): number {
  let hash = 0;
  for (let i = at; i < at + count; i++) {
    const word = words[i]!;
    if (word === 0) continue;
    let k = Math.imul(word, 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    hash ^= Math.imul(k, 0x1b873593);
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  return (hash ^ (hash >>> 15)) >>> 0;
}

export class RecentTable {
  /** The key that {@link find} and {@link add} go by; to be written before. */
  readonly key: Uint32Array;
  private younger: Generation;
  private elder: Generation;
  private hash = 0;

  constructor(
    /** 32-bit words of a key. */
    words: number,
    /** Numbers that are known of a thing. */
    private readonly numbers: number,
    /** Things in a generation. */
    private readonly most: number,
  ) {
    this.key = new Uint32Array(words);
    this.younger = new Generation(words, numbers);
    this.elder = new Generation(words, numbers);
  }

  /** What is known of things; where of which, {@link find} and {@link add} say. Another array may take its place when they are called. */
  get facts(): Float64Array {
    return this.younger.facts;
  }

  /** Things that are held now, at most: one that was in both generations counts twice. */
  get held(): number {
    return this.younger.count + this.elder.count;
  }

  /** Where in {@link facts} what is known of the thing with this key begins; -1 when there is none. */
  find(): number {
    const { key, numbers } = this;
    this.hash = hashOf(key, 0, key.length);
    const position = this.younger.find(key, this.hash);
    if (position >= 0) return position * numbers;
    const old = this.elder.find(key, this.hash);
    if (old < 0) return -1;
    // Taken out first: the elder may have to make room for it.
    const known = this.elder.facts.slice(old * numbers, (old + 1) * numbers);
    const at = this.add();
    this.younger.facts.set(known, at);
    return at;
  }

  /** Put in the thing that {@link find} has just not found; where in {@link facts} it begins. */
  add(): number {
    if (this.younger.count >= this.most) {
      const spare = this.elder;
      this.elder = this.younger;
      this.younger = spare;
      spare.clear();
    }
    return this.younger.add(this.key, this.hash) * this.numbers;
  }
}
