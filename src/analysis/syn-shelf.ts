/**
 * Conversations of which nothing but a SYN, perhaps repeated, was seen, put away in a few dozen octets each: a flood of
 * SYNs or a scan makes hundreds of thousands of them, and any may still be answered.
 */
import { Conversation } from './conversations.js';
import { Outstanding } from './tcp-outstanding.js';

/** Conversations a block. */
const BLOCK = 8192;

/** Ints of a conversation. */
const WIDTH = 14;
/** Its slot in the table of conversations; -1 once it is off the shelf. */
const SLOT = 0;
const NUMBER = 1;
const FRAME = 2;
const SECONDS = 3;
const NANOSECONDS = 4;
const SEQUENCE = 5;
const ACKNOWLEDGMENT = 6;
/** Window in the low 16 bits, then window shift + 2 in 5 bits, IP version in 4, whether the lower endpoint sent it, whether the ports were used before. */
const PACKED = 7;
const IDENTITY = 8;
const SYNS = 9;
const LAST_FRAME = 10;
const LAST_SECONDS = 11;
const LAST_NANOSECONDS = 12;
const LAST_SYN_FRAME = 13;

interface Block {
  readonly data: Int32Array;
  /** IPv6 addresses, 32 octets a conversation; made when the first is put away. */
  addresses: Uint8Array | undefined;
  /** Conversations that are still there. */
  live: number;
}

export class Shelf {
  /** Conversations on the shelf. */
  count = 0;
  private readonly blocks = new Map<number, Block>();
  private next = 0;

  constructor(private readonly limit: number) {}

  /** True when SYNs of one side are all that there is to a conversation. */
  static fits(conversation: Conversation): boolean {
    const { first: me } = conversation;
    return (
      me.segments === me.syns &&
      me.peer.segments === 0 &&
      me.octets === 0 &&
      conversation.opener === me &&
      conversation.multipathOperations === 0 &&
      conversation.accurateEcn === 0 &&
      me.reader === undefined
    );
  }

  /** Put a conversation away; its identifier counts up. */
  add(conversation: Conversation): number {
    const id = this.next++;
    const key = Math.floor(id / BLOCK);
    let block = this.blocks.get(key);
    if (block === undefined) this.blocks.set(key, (block = { data: new Int32Array(BLOCK * WIDTH), addresses: undefined, live: 0 }));
    block.live++;
    this.count++;
    const { data } = block;
    const place = id % BLOCK;
    const at = place * WIDTH;
    const { first: me } = conversation;
    data[at + SLOT] = conversation.slot;
    data[at + NUMBER] = conversation.number;
    data[at + FRAME] = conversation.startFrame;
    data[at + SECONDS] = conversation.startSeconds;
    data[at + NANOSECONDS] = conversation.startNanoseconds;
    data[at + SEQUENCE] = me.base;
    data[at + ACKNOWLEDGMENT] = me.lastAck;
    data[at + PACKED] =
      me.window | ((me.scale + 2) << 16) | (conversation.version << 21) | (me.low ? 1 << 25 : 0) | (conversation.reused ? 1 << 26 : 0);
    data[at + IDENTITY] = me.lastIdentity;
    data[at + SYNS] = me.syns;
    data[at + LAST_FRAME] = conversation.lastFrame;
    data[at + LAST_SECONDS] = conversation.lastSeconds;
    data[at + LAST_NANOSECONDS] = conversation.lastNanoseconds;
    data[at + LAST_SYN_FRAME] = me.synFrame;
    if (conversation.addresses !== undefined) {
      block.addresses ??= new Uint8Array(BLOCK * 32);
      block.addresses.set(conversation.addresses, place * 32);
    }
    return id;
  }

  /** The conversation as it was when it was put away, given its place in the table. */
  unpack(id: number, keyLow: number, keyHigh: number, ports: number): Conversation {
    const { data, addresses } = this.blocks.get(Math.floor(id / BLOCK))!;
    const place = id % BLOCK;
    const at = place * WIDTH;
    const packed = data[at + PACKED]!;
    const start = { number: data[at + FRAME]!, seconds: data[at + SECONDS]!, nanoseconds: data[at + NANOSECONDS]! };
    const version = (packed >> 21) & 15;
    const conversation = new Conversation(
      data[at + NUMBER]!,
      start,
      version,
      keyLow,
      keyHigh,
      ports,
      version === 6 ? addresses!.slice(place * 32, place * 32 + 32) : undefined,
      (packed & (1 << 25)) !== 0,
      (packed & (1 << 26)) !== 0,
    );
    const { first: me } = conversation;
    conversation.opener = me;
    conversation.completeness = 1;
    conversation.synSeen = true;
    conversation.lastFrame = data[at + LAST_FRAME]!;
    conversation.lastSeconds =
      conversation.previousSeconds =
      conversation.synSeconds =
      me.synSeconds =
      me.lastSeconds =
        data[at + LAST_SECONDS]!;
    conversation.lastNanoseconds =
      conversation.previousNanoseconds =
      conversation.synNanoseconds =
      me.synNanoseconds =
      me.lastNanoseconds =
        data[at + LAST_NANOSECONDS]!;
    me.base = me.lastSequence = data[at + SEQUENCE]!;
    me.baseKnown = true;
    me.segments = me.syns = data[at + SYNS]!;
    me.resent = me.syns - 1;
    me.firstSynFrame = me.nextFrame = me.lastNonDuplicate = start.number;
    me.synFrame = me.lastFrame = data[at + LAST_SYN_FRAME]!;
    me.next = me.maxAckable = (me.base + 1) | 0;
    me.nextSeconds = start.seconds;
    me.nextNanoseconds = start.nanoseconds;
    me.lastAck = data[at + ACKNOWLEDGMENT]!;
    if (me.lastAck === 0) me.lastNonDuplicate = 0;
    me.window = packed & 0xffff;
    me.scale = ((packed >> 16) & 31) - 2;
    if (me.scale === -2) me.peer.scale = -2;
    me.firstAckPending = true;
    me.lastIdentity = data[at + IDENTITY]!;
    me.lastFlags = 0x02;
    me.outstanding = new Outstanding();
    me.outstanding.add(start.number, me.base, (me.base + 1) | 0, start.seconds, start.nanoseconds, me.base);
    return conversation;
  }

  /** Its slot in the table of conversations. */
  slot(id: number): number {
    return this.blocks.get(Math.floor(id / BLOCK))!.data[(id % BLOCK) * WIDTH + SLOT]!;
  }

  /** The table was laid out anew. */
  move(id: number, slot: number): void {
    this.blocks.get(Math.floor(id / BLOCK))!.data[(id % BLOCK) * WIDTH + SLOT] = slot;
  }

  /** Take a conversation off the shelf; a block goes with the last of its conversations. */
  remove(id: number): void {
    const key = Math.floor(id / BLOCK);
    const block = this.blocks.get(key)!;
    block.data[(id % BLOCK) * WIDTH + SLOT] = -1;
    this.count--;
    if (--block.live === 0 && key !== Math.floor(this.next / BLOCK)) this.blocks.delete(key);
  }

  /** The conversations to forget before another may be put away: none, or those of the oldest block. */
  overflow(): number[] {
    if (this.count < this.limit) return [];
    const [oldest] = this.blocks;
    return oldest === undefined ? [] : this.idsOf(oldest[0], oldest[1]);
  }

  private idsOf(key: number, { data }: Block): number[] {
    const ids: number[] = [];
    for (let i = 0; i < BLOCK && key * BLOCK + i < this.next; i++) if (data[i * WIDTH + SLOT]! >= 0) ids.push(key * BLOCK + i);
    return ids;
  }

  /** Identifiers of all that are on the shelf. */
  *[Symbol.iterator](): Generator<number, void, undefined> {
    for (const [key, block] of this.blocks) yield* this.idsOf(key, block);
  }
}
