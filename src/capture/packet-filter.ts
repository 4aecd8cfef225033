/** `-f` on files and pipes: pcap-filter expressions, compiled once for each kind of link. */
import { NetlensError } from '../core/errors.js';
import { type BpfFilter, compileBpf } from './bpf.js';
import { type Libpcap, loadLibpcap } from './libpcap.js';
import { suggestDisplayFilter } from './pcap-expression.js';
import type { CaptureInterface, CaptureRecord } from './source.js';

const SNAP_LENGTH = 262_144;
const ETHERNET = 1;
/** BSD loopback: its four-octet header is in the byte order of the machine that captured. */
const NULL = 0;
/** Octets of two hardware addresses, and of the tag that may follow them. */
const ADDRESSES = 12;
const TAG = 4;
/** EtherTypes of a VLAN tag: IEEE 802.1Q, 802.1ad, and what was used before it. */
const TAGS: ReadonlySet<number> = new Set([0x8100, 0x88a8, 0x9100]);

/** A capture filter for packets of files: compiled by libpcap, run as a JavaScript function. */
export class PacketFilter {
  /** Tagged frames that were left out although, without their tag, they are what was asked for. */
  tagged = 0;
  private from: CaptureInterface | undefined;
  private filter: BpfFilter = () => 1;
  private ethernet = false;
  private readonly byLinkType = new Map<number, BpfFilter>();
  private readonly untagged = new Uint8Array(2048);
  /** Asks about tags itself. */
  private readonly knowsTags: boolean;

  private constructor(
    readonly expression: string,
    private readonly libpcap: Libpcap,
  ) {
    this.knowsTags = /\bvlan\b/.test(expression) || expression.trim() === '';
  }

  /**
   * A filter for records of a source whose first link type is `linkType`.
   * @throws NetlensError `usage` with libpcap's words for a wrong expression, `interface` where there is no libpcap
   */
  static async create(expression: string, linkType = ETHERNET): Promise<PacketFilter> {
    let libpcap: Libpcap;
    try {
      libpcap = await loadLibpcap();
    } catch (error) {
      if (!(error instanceof NetlensError)) throw error;
      const instead = suggestDisplayFilter(expression);
      throw new NetlensError(
        error.code,
        `-f needs libpcap, which compiles it: ${error.message}${instead ? `; or use -Y '${instead}'` : ''}`,
      );
    }
    const filter = new PacketFilter(expression, libpcap);
    filter.filterFor(linkType);
    return filter;
  }

  /** True when the record is selected. */
  test(record: CaptureRecord): boolean {
    if (record.interface !== this.from) {
      this.from = record.interface;
      this.filter = this.filterFor(record.interface.linkType);
      this.ethernet = record.interface.linkType === ETHERNET;
    }
    const { bytes, start, captured, wireLength } = record;
    if (this.filter(bytes, start, captured, wireLength) !== 0) return true;
    if (this.ethernet && !this.knowsTags && captured - start > ADDRESSES + TAG) this.lookUnderTag(record);
    return false;
  }

  /** Said once at the end: what a filter without `vlan` left out. */
  get remark(): string | undefined {
    if (this.tagged === 0) return undefined;
    const frames = this.tagged === 1 ? '1 frame with a VLAN tag was' : `${this.tagged} frames with a VLAN tag were`;
    return `${frames} left out that would match without it; -f '${this.expression} or (vlan and ${this.expression})' takes them too`;
  }

  private filterFor(linkType: number): BpfFilter {
    let filter = this.byLinkType.get(linkType);
    if (filter === undefined) {
      const compiled = (bigEndian: boolean) => compileBpf(this.libpcap.compileForFile(this.expression, linkType, SNAP_LENGTH, bigEndian));
      filter = linkType === NULL ? eitherOrder(compiled(false), compiled(true)) : compiled(false);
      this.byLinkType.set(linkType, filter);
    }
    return filter;
  }

  /** Would the frame be selected without its tags? The filter looks at the first octets of a copy that has none. */
  private lookUnderTag({ bytes, start, captured, wireLength }: CaptureRecord): void {
    let at = start + ADDRESSES;
    // Two tags at most: an outer and an inner.
    for (let i = 0; i < 2 && at + TAG + 2 <= captured && TAGS.has((bytes[at]! << 8) | bytes[at + 1]!); i++) at += TAG;
    const gone = at - start - ADDRESSES;
    if (gone === 0) return;
    const { untagged } = this;
    untagged.set(bytes.subarray(start, start + ADDRESSES));
    const rest = bytes.subarray(at, Math.min(captured, at + untagged.length - ADDRESSES));
    untagged.set(rest, ADDRESSES);
    if (this.filter(untagged, 0, ADDRESSES + rest.length, wireLength - gone) !== 0) this.tagged++;
  }
}

/** The protocol number of a loopback header is small: its first two octets are 0 where it was written big end first. */
function eitherOrder(little: BpfFilter, big: BpfFilter): BpfFilter {
  return (bytes, start, captured, wireLength) =>
    captured - start >= 4 && bytes[start] === 0 && bytes[start + 1] === 0
      ? big(bytes, start, captured, wireLength)
      : little(bytes, start, captured, wireLength);
}
