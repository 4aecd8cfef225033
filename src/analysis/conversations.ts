/**
 * TCP conversations: which segments belong together, in which direction each goes, and who opened.
 *
 * A conversation is a pair of endpoints (address and port, of the innermost IP header) from one opening SYN to the next
 * one with another initial sequence number. Numbers count up from 0 in the order of the capture, as `tcp.stream` does.
 * All state is bounded: conversations that nobody answered have a small table of their own, so that a flood of SYNs
 * cannot push out those that live, and what has been idle longest goes first.
 */
import { ipv4Text, ipv6Text } from '../core/addresses.js';
import { i32, u16, u32 } from '../core/octets.js';
import type { Tcp } from '../dissectors/tcp.js';
import type { TcpDirection } from '../dissectors/tcp-header.js';
import { Shelf } from './syn-shelf.js';
import type { ResetCause } from './tcp-endpoints.js';
import type { Outstanding } from './tcp-outstanding.js';
import type { Segment } from './tcp-segment.js';
import type { SentLog } from './tcp-sent.js';

const SYN = 0x02;
const ACK = 0x10;

/** How much is remembered at once. */
export interface ConversationLimits {
  /** Conversations in which both sides spoke. */
  readonly answered: number;
  /** Conversations in which one side alone spoke, in full; older ones are shelved in a few octets each. */
  readonly unanswered: number;
  /** Conversations that are shelved: SYNs that nobody answered. */
  readonly shelved: number;
  /** Conversations that may be idle for ever; beyond them {@link idleSeconds} holds. */
  readonly restful: number;
  /** Seconds of packet time without a segment after which a conversation may be forgotten. */
  readonly idleSeconds: number;
}

/** What is remembered unless told otherwise. */
export const CONVERSATION_LIMITS: ConversationLimits = {
  answered: 100_000,
  unanswered: 512,
  shelved: 250_000,
  restful: 4096,
  idleSeconds: 3600,
};

/** One direction of a conversation: what its sender did, and what was learnt of it. Sequence numbers are kept as signed 32-bit integers. */
export class Direction implements TcpDirection {
  // What every segment asks about comes first, side by side in memory; what it asks about the other direction, too, before all.
  /** The other direction. */
  peer: Direction = this;
  /** What was sent; undefined until something was. */
  sent: SentLog | undefined = undefined;
  /** Segments not acknowledged yet; undefined while {@link sent} tells the same. */
  outstanding: Outstanding | undefined = undefined;
  /** Whatever the reassembler of byte streams keeps for this direction. */
  reader: unknown = undefined;
  /** The sequence number that counts as 0: that of the SYN, or the one before the first octet seen. */
  base = 0;
  baseKnown = false;
  /** Segments seen. */
  segments = 0;
  /** The frame of the first FIN. */
  finFrame = 0;
  /** Timeouts since the receiver was last heard. */
  timeoutsInARow = 0;

  // What Wireshark's analysis remembers (analysis/tcp.ts). As there, 0 stands for "none yet" in the sequence numbers.
  /** Window field of the last segment; -1 before the first. */
  window = -1;
  /** Window shift: -1 not known, -2 not used. */
  scale = -1;
  /** From the SYN to the first ACK after it, during which windows are not scaled. */
  firstAckPending = false;
  /** Acknowledgment field of the last segment of any kind. */
  lastAck = 0;
  /** End of what was seen without a gap. */
  maxAckable = 0;
  countBytesInFlight = true;
  /** Octets in the SACK blocks of the last segment. */
  sackedOctets = 0;
  /** Highest end of sequence seen, and the frame and time of the segment that reached it. */
  next = 0;
  nextFrame = 0;
  nextSeconds = 0;
  nextNanoseconds = 0;
  /** Time of the last segment of any kind. */
  lastSeconds = 0;
  lastNanoseconds = 0;
  /** The frame in which {@link lastAck} changed last. */
  lastNonDuplicate = 0;
  /** Duplicate ACKs since then; -1 after an ACK of something that was not seen. */
  duplicates = 0;
  pushBytes = 0;
  lastPushed = false;
  lastMarks = 0;
  /** {@link Conversation.multipathOperations} as it stood when the last segment was analysed. */
  multipathSeen = 0;

  // What the verdicts need (analysis/tcp-verdict.ts).
  /** The last segment that was no copy made by the capture. */
  lastFrame = 0;
  lastSequence = 0;
  lastLength = 0;
  lastIdentity = 0;
  /** Flags of the last segment. */
  lastFlags = 0;
  /** Octets of payload sent, those sent again included. */
  octets = 0;

  // From here on it is what few segments ask about.
  /** The sequence number after the first FIN, and whether that was acknowledged. */
  finEnd = 0;
  finAcked = false;
  /** 0 while no FIN was sent; 1 when it was the first of both sides, 2 when the other side's came before. */
  finRole = 0;
  /** SYNs sent, the frames of the first and last one, and the time of the last one. */
  syns = 0;
  firstSynFrame = 0;
  synFrame = 0;
  synSeconds = 0;
  synNanoseconds = 0;
  repeatedOctets = 0;
  /** Repeats that turned out to be needless. */
  needless = 0;

  // What the endpoint states need (analysis/tcp-endpoints.ts).
  /** Octets sent after the other side had sent its FIN. */
  octetsAfterPeerFin = 0;
  /** How often its sender had no room left, since when, and for how many nanoseconds in all. */
  zeroWindows = 0;
  zeroSeconds = 0;
  zeroNanoseconds = 0;
  stalled = 0;
  /** Segments that the sender sent again, as its kernel counts them. */
  resent = 0;
  /** Segments that others overtook. */
  reordered = 0;
  /** Octets that were not captured. */
  missing = 0;

  constructor(
    readonly conversation: Conversation,
    /** True when it is sent by the endpoint that compares lower, {@link Conversation.low}. */
    readonly low: boolean,
    readonly srcPort: number,
    readonly dstPort: number,
  ) {}

  /** The sender's address. */
  get source(): string {
    return this.conversation.addressText(this.low ? 0 : 1);
  }

  /** The receiver's address. */
  get destination(): string {
    return this.conversation.addressText(this.low ? 1 : 0);
  }

  /** Where an octet of this direction stands in the stream: 0 for the SYN, 1 for the first octet of data. */
  relative(sequence: number): number {
    return (sequence - this.base) >>> 0;
  }

  /** True when its sender opened the connection, as far as is known or can be guessed. */
  get fromClient(): boolean {
    return this.conversation.client === this;
  }
}

/** Two endpoints and what passed between them. */
export class Conversation {
  // What every segment asks about comes first, side by side in memory.
  /** The direction of the endpoint that compares lower, and the other one: fields of their own, two steps nearer than a list. */
  readonly low = new Direction(this, true, this.ports >>> 16, this.ports & 0xffff);
  readonly high = new Direction(this, false, this.ports & 0xffff, this.ports >>> 16);
  /** Frame and time of the last segment. */
  lastFrame = 0;
  lastSeconds = 0;
  lastNanoseconds = 0;
  /** Time of the segment before the last one; that of the first while there is but one. */
  previousSeconds = 0;
  previousNanoseconds = 0;
  /**
   * Both bases are known, and nothing is amiss, so that the short way through the analysis (tcp-quick.ts) need not ask for
   * what makes a segment another than those before it: told anew by each segment that goes the long way.
   */
  isSteady = false;
  /** The list it stands in: false while one side alone spoke. */
  answered = false;
  /** Neighbours in the order of the last segment; for {@link Conversations} alone. */
  newer: Conversation | undefined = undefined;
  older: Conversation | undefined = undefined;
  /** `tcp.completeness`: 1 SYN, 2 SYN+ACK, 4 ACK, 8 data, 16 FIN, 32 RST. */
  completeness = 0;
  /** Nanoseconds from the last SYN to the first segment after it that acknowledges and is no SYN; 0 while not known. */
  initialRtt = 0;
  synSeen = false;
  /** The first SYN+ACK. */
  synAckSeen = false;
  /** The ACK that completes the handshake was seen, {@link handshake} nanoseconds after the last SYN. */
  handshakeDone = false;
  /** Accurate ECN: 1 asked for in the SYN, 2 agreed to. */
  accurateEcn = 0;
  /** A bit for each kind of MPTCP operation seen. */
  multipathOperations = 0;
  /** The direction whose sender sent the first SYN without ACK, or whose receiver sent a SYN with ACK; undefined when neither was seen. */
  opener: Direction | undefined = undefined;
  /** Frame and time of the first segment. */
  readonly startFrame: number = 0;
  readonly startSeconds: number = 0;
  readonly startNanoseconds: number = 0;
  /** The frame in which {@link initialRtt} became known. */
  initialRttFrame = 0;

  // From here on it is what few segments ask about.
  /** The direction of the first segment seen. */
  first: Direction;
  /** Time of the last SYN without ACK, and of the first SYN+ACK. */
  synSeconds = 0;
  synNanoseconds = 0;
  synAckSeconds = 0;
  synAckNanoseconds = 0;
  handshake = 0;
  /** Both sides sent a SYN before they saw the other's; both a FIN. */
  simultaneousOpen = false;
  simultaneousClose = false;
  /** The first reset: its frame, its sender's direction, what it came after, and in which frame (0: none). */
  resetFrame = 0;
  resetBy: Direction | undefined = undefined;
  resetCause: ResetCause = 'nothing seen';
  resetAnswers = 0;
  /** A SYN came with a Fast Open cookie and data. */
  fastOpenData = false;
  /** The frame in which the ports were found to be used again for this conversation; 0 when they were not. */
  reusedAt = 0;
  /** Its place in the table of {@link Conversations}. */
  slot = -1;

  constructor(
    /** `tcp.stream`. */
    readonly number: number,
    frame: { readonly number: number; readonly seconds: number; readonly nanoseconds: number },
    /** 4 or 6; 0 when there is no IP header. */
    readonly version: number,
    /** IPv4: the lower address as a number. IPv6: a hash. */
    readonly keyLow: number,
    readonly keyHigh: number,
    /** Ports of the lower endpoint (high 16 bits) and the higher one. */
    readonly ports: number,
    /** IPv6: both addresses, the lower one first. */
    readonly addresses: Uint8Array | undefined,
    fromLow: boolean,
    /** True when it took the place of an earlier conversation between the same ports. */
    readonly reused: boolean,
  ) {
    this.startFrame = this.lastFrame = frame.number;
    this.startSeconds = this.lastSeconds = this.previousSeconds = frame.seconds;
    this.startNanoseconds = this.lastNanoseconds = this.previousNanoseconds = frame.nanoseconds;
    if (reused) this.completeness = 1;
    this.low.peer = this.high;
    this.high.peer = this.low;
    this.first = fromLow ? this.low : this.high;
  }

  /** Both directions, that of the lower endpoint first. */
  get directions(): readonly [Direction, Direction] {
    return [this.low, this.high];
  }

  /**
   * The direction from client to server: the one that opened, as far as was seen; otherwise the one towards the lower
   * port if that is a well-known or registered one, else the one that spoke first.
   */
  get client(): Direction {
    if (this.opener !== undefined) return this.opener;
    const { low, high } = this;
    if (low.srcPort === low.dstPort || (low.srcPort >= 32768 && low.dstPort >= 32768)) return this.first;
    return low.dstPort < low.srcPort ? low : high;
  }

  /** Address of the lower (0) or the higher endpoint (1). */
  addressText(which: 0 | 1): string {
    if (this.version === 4) return ipv4Text((which === 0 ? this.keyLow : this.keyHigh) >>> 0);
    return this.addresses === undefined ? '' : ipv6Text(this.addresses, which === 0 ? 0 : 16);
  }
}

/** Ints a slot of the table takes: both keys, ports, place of the conversation in {@link Conversations.entries}. */
const SLOT = 4;
const FREE = 0;
const GONE = -1;

/** All conversations of a session. */
export class Conversations {
  /** Conversations seen so far, those forgotten included. */
  count = 0;
  /** Forgotten because there were too many, or idle for long. */
  evicted = 0;
  /** Called with each conversation that is over because it was forgotten or its ports were used again. */
  ended: ((conversation: Conversation) => void) | undefined = undefined;

  private table = new Int32Array(256 * SLOT);
  private mask = 255;
  /** Slots that are not free, deleted ones included. */
  private used = 0;
  private entries: (Conversation | undefined)[] = [undefined];
  private freeEntries: number[] = [];
  private answeredCount = 0;
  private unansweredCount = 0;
  private readonly shelf: Shelf;
  private oldestAnswered: Conversation | undefined = undefined;
  private newestAnswered: Conversation | undefined = undefined;
  private oldestUnanswered: Conversation | undefined = undefined;
  private newestUnanswered: Conversation | undefined = undefined;

  constructor(private readonly limits: ConversationLimits = CONVERSATION_LIMITS) {
    this.shelf = new Shelf(limits.shelved);
  }

  /** Conversations that are remembered now. */
  get live(): number {
    return this.answeredCount + this.unansweredCount + this.shelf.count;
  }

  /** Those that are remembered, in no order. */
  *[Symbol.iterator](): Generator<Conversation, void, undefined> {
    for (const conversation of this.entries) if (conversation !== undefined) yield conversation;
    for (const id of this.shelf) yield this.unpack(id);
  }

  /**
   * The direction a segment belongs to; a new conversation when there is none yet, or when a SYN without ACK comes with
   * another sequence number than the one its direction began with. A segment without a length of its own finds or
   * makes its conversation but sets no base.
   */
  of(segment: Segment): Direction {
    const { bytes: b, start, version, ipBytes, ipStart: at, flags } = segment;
    const srcPort = u16(b, start);
    const dstPort = u16(b, start + 2);
    let keyLow = 0;
    let keyHigh = 0;
    let fromLow = srcPort <= dstPort;
    if (version === 4) {
      keyLow = i32(ipBytes, at + 12);
      keyHigh = i32(ipBytes, at + 16);
      if (keyLow !== keyHigh) fromLow = keyLow < keyHigh;
      if (!fromLow) {
        const swap = keyLow;
        keyLow = keyHigh;
        keyHigh = swap;
      }
    } else if (version === 6) {
      let order = 0;
      for (let i = 8; order === 0 && i < 24; i += 4) order = i32(ipBytes, at + i) - i32(ipBytes, at + i + 16);
      if (order !== 0) fromLow = order < 0;
      keyLow = hash6(ipBytes, fromLow ? at + 8 : at + 24);
      keyHigh = hash6(ipBytes, fromLow ? at + 24 : at + 8);
    }
    const ports = fromLow ? (srcPort << 16) | dstPort : (dstPort << 16) | srcPort;

    const { table, mask } = this;
    const hash = hashOf(keyLow, keyHigh, ports);
    let conversation: Conversation | undefined;
    // Never full (see insert), so a free slot ends the walk.
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const entry = table[at * SLOT + 3]!;
      if (entry === FREE) break;
      if (entry !== GONE && table[at * SLOT] === keyLow && table[at * SLOT + 1] === keyHigh && table[at * SLOT + 2] === ports) {
        const found = entry > 0 ? this.entries[entry]! : this.unpack(GONE - 1 - entry);
        if (found.version !== version || (version === 6 && !sameAddresses(found.addresses!, segment, fromLow))) continue;
        conversation = found;
        if (entry < 0) this.revive(found, GONE - 1 - entry);
        break;
      }
    }

    if (conversation === undefined) {
      const addresses = version === 6 ? addressPair(segment, fromLow) : undefined;
      conversation = this.insert(segment, hash, version, keyLow, keyHigh, ports, addresses, fromLow, undefined);
    } else if ((flags & (SYN | ACK)) === SYN && beginsElsewhere(fromLow ? conversation.low : conversation.high, segment.sequence))
      conversation = this.insert(segment, hash, version, keyLow, keyHigh, ports, conversation.addresses, fromLow, conversation);

    const me = fromLow ? conversation.low : conversation.high;
    conversation.lastFrame = segment.number;
    conversation.previousSeconds = conversation.lastSeconds;
    conversation.previousNanoseconds = conversation.lastNanoseconds;
    conversation.lastSeconds = segment.seconds;
    conversation.lastNanoseconds = segment.nanoseconds;
    // Order by the second is fine enough for forgetting, and spares busy conversations the moves.
    if (me.segments++ === 0 || (conversation.newer !== undefined && conversation.previousSeconds !== conversation.lastSeconds))
      this.touch(conversation, me);
    if (conversation.isSteady === false || flags & SYN) learn(segment, me);
    return me;
  }

  private insert(
    segment: Segment,
    hash: number,
    version: number,
    keyLow: number,
    keyHigh: number,
    ports: number,
    addresses: Uint8Array | undefined,
    fromLow: boolean,
    replaced: Conversation | undefined,
  ): Conversation {
    if (replaced !== undefined) this.remove(replaced);
    this.makeRoom(segment.seconds);
    const conversation = new Conversation(
      this.count++,
      segment,
      version,
      keyLow,
      keyHigh,
      ports,
      addresses,
      fromLow,
      replaced !== undefined,
    );
    if (replaced !== undefined) conversation.reusedAt = segment.number;
    if ((this.used + 1) * 4 > (this.mask + 1) * 3) this.rehash();
    const entry = this.freeEntries.pop() ?? this.entries.length;
    this.entries[entry] = conversation;
    conversation.slot = this.place(hash, keyLow, keyHigh, ports, entry);
    this.append(conversation);
    return conversation;
  }

  private place(hash: number, keyLow: number, keyHigh: number, ports: number, entry: number): number {
    const { table, mask } = this;
    let at = hash & mask;
    while (table[at * SLOT + 3] !== FREE && table[at * SLOT + 3] !== GONE) at = (at + 1) & mask;
    if (table[at * SLOT + 3] === FREE) this.used++;
    table[at * SLOT] = keyLow;
    table[at * SLOT + 1] = keyHigh;
    table[at * SLOT + 2] = ports;
    table[at * SLOT + 3] = entry;
    return at;
  }

  /** Put away an unanswered conversation: from now on it costs a few octets. False when there is more to it than SYNs. */
  private shelve(conversation: Conversation): boolean {
    const { shelf } = this;
    if (!Shelf.fits(conversation)) return false;
    for (const id of shelf.overflow()) {
      this.evicted++;
      this.ended?.(this.unpack(id));
      this.table[shelf.slot(id) * SLOT + 3] = GONE;
      shelf.remove(id);
    }
    const at = conversation.slot * SLOT + 3;
    const entry = this.table[at]!;
    this.table[at] = GONE - 1 - shelf.add(conversation);
    this.entries[entry] = undefined;
    this.freeEntries.push(entry);
    this.unlink(conversation);
    return true;
  }

  /** A shelved conversation as it was. */
  private unpack(id: number): Conversation {
    const at = this.shelf.slot(id) * SLOT;
    const conversation = this.shelf.unpack(id, this.table[at]!, this.table[at + 1]!, this.table[at + 2]!);
    conversation.slot = this.shelf.slot(id);
    return conversation;
  }

  /** Take a conversation off the shelf. */
  private revive(conversation: Conversation, id: number): void {
    this.shelf.remove(id);
    const entry = this.freeEntries.pop() ?? this.entries.length;
    this.entries[entry] = conversation;
    this.table[conversation.slot * SLOT + 3] = entry;
    this.append(conversation);
  }

  /** A table without deleted slots, twice the size of what lives in it at least. */
  private rehash(): void {
    let size = 256;
    while (size < (this.live + 1) * 2) size *= 2;
    const { table: old, entries, shelf } = this;
    this.table = new Int32Array(size * SLOT);
    this.mask = size - 1;
    this.used = 0;
    for (let at = 0; at < old.length; at += SLOT) {
      const entry = old[at + 3]!;
      if (entry === FREE || entry === GONE) continue;
      const keyLow = old[at]!;
      const keyHigh = old[at + 1]!;
      const ports = old[at + 2]!;
      const slot = this.place(hashOf(keyLow, keyHigh, ports), keyLow, keyHigh, ports, entry);
      if (entry > 0) entries[entry]!.slot = slot;
      else shelf.move(GONE - 1 - entry, slot);
    }
  }

  /** Forget what there is no room for, and what has been idle for long when there is much to remember. */
  private makeRoom(now: number): void {
    const { answered, unanswered, restful, idleSeconds } = this.limits;
    while (this.unansweredCount >= unanswered) {
      const oldest = this.oldestUnanswered!;
      if (this.shelve(oldest)) continue;
      // It has more to tell than SYNs, so it stays with those that were answered.
      this.unlink(oldest);
      oldest.answered = true;
      this.append(oldest);
    }
    while (this.answeredCount >= answered) this.evict(this.oldestAnswered!);
    while (this.answeredCount + this.unansweredCount >= restful) {
      if (this.oldestUnanswered !== undefined && now - this.oldestUnanswered.lastSeconds > idleSeconds) this.evict(this.oldestUnanswered);
      else if (this.oldestAnswered !== undefined && now - this.oldestAnswered.lastSeconds > idleSeconds) this.evict(this.oldestAnswered);
      else return;
    }
  }

  private evict(conversation: Conversation): void {
    this.evicted++;
    this.remove(conversation);
  }

  private remove(conversation: Conversation): void {
    const at = conversation.slot * SLOT + 3;
    const entry = this.table[at]!;
    this.table[at] = GONE;
    this.entries[entry] = undefined;
    this.freeEntries.push(entry);
    this.unlink(conversation);
    this.ended?.(conversation);
  }

  /** Move to the young end of its list; to the other list when the second side has spoken. */
  private touch(conversation: Conversation, me: Direction): void {
    this.unlink(conversation);
    if (me.peer.segments > 0) conversation.answered = true;
    this.append(conversation);
  }

  private append(conversation: Conversation): void {
    conversation.newer = undefined;
    if (conversation.answered) {
      this.answeredCount++;
      conversation.older = this.newestAnswered;
      if (this.newestAnswered !== undefined) this.newestAnswered.newer = conversation;
      else this.oldestAnswered = conversation;
      this.newestAnswered = conversation;
    } else {
      this.unansweredCount++;
      conversation.older = this.newestUnanswered;
      if (this.newestUnanswered !== undefined) this.newestUnanswered.newer = conversation;
      else this.oldestUnanswered = conversation;
      this.newestUnanswered = conversation;
    }
  }

  private unlink(conversation: Conversation): void {
    const { older, newer } = conversation;
    if (older !== undefined) older.newer = newer;
    if (newer !== undefined) newer.older = older;
    if (conversation.answered) {
      this.answeredCount--;
      if (older === undefined) this.oldestAnswered = newer;
      if (newer === undefined) this.newestAnswered = older;
    } else {
      this.unansweredCount--;
      if (older === undefined) this.oldestUnanswered = newer;
      if (newer === undefined) this.newestUnanswered = older;
    }
    conversation.older = conversation.newer = undefined;
  }
}

/** A SYN with this sequence number begins another connection than the one that its direction belongs to. */
const beginsElsewhere = ({ baseKnown, base }: Direction, sequence: number): boolean => baseKnown && base !== sequence;

/** What a segment tells of who opened, and of where both directions begin. */
function learn({ flags, length, sequence, ack, number }: Segment, me: Direction): void {
  const { conversation, peer } = me;
  if (flags & SYN) conversation.opener ??= flags & ACK ? peer : me;
  if (length < 0) return;
  if (!me.baseKnown) {
    me.baseKnown = true;
    me.base = flags & SYN ? sequence : (sequence - 1) | 0;
  } else if ((flags & (SYN | ACK)) === (SYN | ACK) && sequence !== me.base) {
    me.base = sequence;
    conversation.reusedAt = number;
  }
  if (flags & ACK && !peer.baseKnown) {
    peer.baseKnown = true;
    peer.base = (ack - 1) | 0;
  }
}

function hashOf(keyLow: number, keyHigh: number, ports: number): number {
  const hash = Math.imul(keyLow ^ Math.imul(keyHigh, 0x9e3779b1) ^ Math.imul(ports, 0x85ebca6b), 0xc2b2ae35);
  return hash ^ (hash >>> 15);
}

function hash6(bytes: Uint8Array, at: number): number {
  let hash = 0;
  for (let i = 0; i < 16; i += 4) hash = Math.imul(hash ^ u32(bytes, at + i), 0x01000193) ^ (hash >>> 13);
  return hash;
}

/** The two addresses of an IPv6 header, the lower one first. */
function addressPair({ ipBytes: bytes, ipStart: start }: Segment, fromLow: boolean): Uint8Array {
  const pair = new Uint8Array(32);
  for (let i = 0; i < 16; i++) {
    pair[i] = bytes[start + (fromLow ? 8 : 24) + i]!;
    pair[16 + i] = bytes[start + (fromLow ? 24 : 8) + i]!;
  }
  return pair;
}

function sameAddresses(pair: Uint8Array, { ipBytes: bytes, ipStart: start }: Segment, fromLow: boolean): boolean {
  const low = start + (fromLow ? 8 : 24);
  const high = start + (fromLow ? 24 : 8);
  for (let i = 0; i < 16; i++) if (pair[i] !== bytes[low + i] || pair[16 + i] !== bytes[high + i]) return false;
  return true;
}

/** The direction of a segment that has been through {@link Conversations.of}. */
export const directionOf = (tcp: Tcp): Direction | undefined => tcp.direction as Direction | undefined;
