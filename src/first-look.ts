/**
 * A first look at captures for a display filter: which TCP conversations have frames that it may select, and up to which
 * frame they matter. All that is shown of a frame beyond its own octets (retransmissions, handshakes, messages put
 * together, requests with their answers) comes from its conversation, so the others need not be dissected.
 */
import { NO_TCP, readPlain, SEGMENT } from './analysis/plain-road.js';
import { Segment } from './analysis/tcp-segment.js';
import { type CaptureReader, CaptureRecord } from './capture/source.js';
import { i32 } from './core/octets.js';
import type { DisplayFilter } from './filter/index.js';

/** Places for conversations; those that share one are taken for one, which costs time and changes nothing. A power of two. */
const PLACES = 1 << 16;
/** Frames after which it shows whether the filter selects few, and what few is: one of so many. */
const TRIAL = 10_000;
const FEW = 4;

/** Knows after {@link FirstLook.at} which frames a filter's answer can depend on. */
export class FirstLook {
  /** The last frame of each place that may be selected. */
  private readonly last = new Uint32Array(PLACES);
  private readonly segment = new Segment();
  private seen = 0;
  private looked = 0;

  private constructor(
    private readonly possible: NonNullable<DisplayFilter['possible']>,
    private readonly demandsTcp: boolean,
  ) {}

  /**
   * Looks through a source, to its end. Undefined when it is not worth it or would change what is found: the filter asks
   * about what spans frames, cannot be judged by headers or selects many frames, or secrets came with the capture.
   */
  static async at(reader: CaptureReader, filter: DisplayFilter): Promise<FirstLook | undefined> {
    if (filter.possible === undefined || filter.needsTcpAnalysis) return undefined;
    const look = new FirstLook(filter.possible, filter.demandsTcp);
    return (await look.through(reader)) ? look : undefined;
  }

  private async through(reader: CaptureReader): Promise<boolean> {
    const { last, segment, possible } = this;
    const record = new CaptureRecord();
    let number = 0;
    let found = 0;
    do {
      while (reader.next(record)) {
        number++;
        if (readPlain(record, segment) !== SEGMENT || !possible(segment)) continue;
        last[placeOf(segment)] = number;
        if (++found * FEW > number && number > TRIAL) return false;
      }
      if (reader.secrets.length > 0) return false;
    } while (await reader.fill());
    this.looked = number;
    return true;
  }

  /** At the second look: true when the next frame has to be dissected. To be asked of every frame, in order. */
  wants(record: CaptureRecord): boolean {
    this.seen++;
    // What came since the first look was never seen.
    if (this.seen > this.looked) return true;
    const { segment } = this;
    const plain = readPlain(record, segment);
    if (plain === SEGMENT) return this.seen <= this.last[placeOf(segment)]!;
    // What frames without TCP tell matters to their like alone; what is not plain may matter to anything.
    return plain !== NO_TCP || !this.demandsTcp;
  }
}

/** The same for both directions. */
function placeOf({ version, ipBytes, ipStart, bytes, start }: Segment): number {
  let hash = i32(bytes, start);
  hash ^= (hash << 16) | (hash >>> 16);
  const from = ipStart + (version === 4 ? 12 : 8);
  const to = ipStart + (version === 4 ? 20 : 40);
  for (let at = from; at < to; at += 4) hash ^= i32(ipBytes, at);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return (hash ^ (hash >>> 15)) & (PLACES - 1);
}
