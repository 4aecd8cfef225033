/**
 * snoop, the format of Solaris: big-endian records padded to whole words.
 *
 * RFC 1761.
 *
 *     0: "snoop" and three zeros | 8: version 4 | 12: link type 4
 *     record: wire 4 | captured 4 | record length 4 | drops so far 4 | seconds 4 | microseconds 4 | octets, padding
 */
import { NetlensError } from '../core/errors.js';
import type { Chunks } from './chunks.js';
import { pseudoHeaderLength } from './link-types.js';
import { ReaderBase } from './reader.js';
import type { CaptureInterface, CaptureRecord } from './source.js';

const FILE_HEADER = 16;
const RECORD_HEADER = 24;
/** As for pcap; the record adds its header and padding. */
const MAX_RECORD = 262_144 + 256;

/** "snoop" in the first four and the next four octets. */
export function isSnoop(view: DataView): boolean {
  return view.getUint32(0) === 0x736e6f6f && view.getUint32(4) === 0x70000000;
}

/** LINKTYPE_ by snoop's own number: RFC 1761 section 4 and IANA's registry of snoop datalink types. */
const LINK_TYPES: Readonly<Record<number, number>> = {
  0: 1, // IEEE 802.3
  2: 6, // IEEE 802.5 token ring
  4: 1, // Ethernet
  8: 10, // FDDI
  15: 0, // software loopback
  17: 122, // IP over Fibre Channel
  18: 123, // ATM, behind the four octets of SunATM
};

/**
 * Reads the file header and makes a reader.
 * @throws NetlensError `unknown-format`
 */
export async function readSnoop(chunks: Chunks, label: string): Promise<ReaderBase> {
  if (!(await chunks.more(FILE_HEADER))) {
    throw new NetlensError('unknown-format', `${label}: ends within its snoop header: 16 octets expected, ${chunks.end} found`, chunks.end);
  }
  const { view } = chunks;
  const version = view.getUint32(8);
  if (version !== 2) throw new NetlensError('unknown-format', `${label}: snoop version ${version} at octet 8; only 2 is known`, 8);
  const own = view.getUint32(12);
  const linkType = LINK_TYPES[own];
  if (linkType === undefined) throw new NetlensError('unknown-format', `${label}: unknown snoop link type ${own} at octet 12`, 12);
  chunks.position = FILE_HEADER;
  return new SnoopReader(chunks, label, {
    id: undefined,
    linkType,
    snapLength: 0,
    name: undefined,
    description: undefined,
    section: undefined,
    fcsLength: undefined,
    pseudoHeader: pseudoHeaderLength(linkType),
  });
}

class SnoopReader extends ReaderBase {
  readonly format = 'snoop';
  private records = 0;

  constructor(
    chunks: Chunks,
    label: string,
    private readonly itself: CaptureInterface,
  ) {
    super(chunks, label);
    this.interfaces.push(itself);
  }

  next(record: CaptureRecord): boolean {
    const chunks = this.chunks;
    const { position, view } = chunks;
    const start = position + RECORD_HEADER;
    if (start > chunks.end) {
      this.need = RECORD_HEADER;
      return false;
    }
    const captured = view.getUint32(position + 4);
    const length = view.getUint32(position + 8);
    if (length < RECORD_HEADER + captured || length > MAX_RECORD) {
      const claim = `${captured} captured octets in a record of ${length}`;
      return this.damaged(`record ${this.records + 1} at octet ${chunks.offset} claims ${claim}; at most ${MAX_RECORD} can be true`);
    }
    if (position + length > chunks.end) {
      this.need = length;
      return false;
    }
    const microseconds = view.getUint32(position + 20);
    const carried = Math.floor(microseconds / 1e6);
    record.bytes = chunks.bytes;
    record.start = start;
    record.captured = start + captured;
    record.wireLength = view.getUint32(position);
    record.seconds = view.getUint32(position + 16) + carried;
    record.nanoseconds = (microseconds - carried * 1e6) * 1000;
    record.hasTime = true;
    record.interface = this.itself;
    record.notes = undefined;
    chunks.position = position + length;
    this.records++;
    return true;
  }

  protected what(): string {
    return `record ${this.records + 1}`;
  }
}
