/** The frame itself as a layer: what the capture says about it. */
import type { CaptureInterface } from '../capture/source.js';
import { DIGITS_ROOM, putNine } from './digits.js';
import { computed, expert, gated } from './field.js';
import type { Frame } from './frame.js';
import { type Layer, layer } from './layer.js';
import { u16 } from './octets.js';
import type { Plain } from './plain.js';
import type { TextBuffer } from './text.js';
import { between, isoText, type Nanoseconds } from './time.js';

/** LINKTYPE_ numbers to Wireshark's own numbering of encapsulations, which `frame.encap_type` prints. */
const ENCAPSULATION: Readonly<Record<number, number>> = {
  0: 15,
  1: 1,
  2: 184,
  3: 148,
  6: 2,
  7: 8,
  8: 3,
  9: 4,
  10: 6,
  11: 10,
  12: 7,
  13: 38,
  14: 7,
  16: 11,
  18: 11,
  19: 11,
  32: 69,
  50: 4,
  51: 139,
  99: 61,
  100: 10,
  101: 7,
  104: 28,
  105: 20,
  106: 11,
  107: 26,
  108: 174,
  109: 38,
  112: 28,
  113: 25,
  114: 30,
  117: 39,
  118: 29,
  119: 21,
  121: 32,
  122: 18,
  123: 13,
  127: 23,
  128: 37,
  129: 9,
  130: 81,
  131: 82,
  133: 87,
  135: 68,
  136: 151,
  137: 67,
  138: 62,
  139: 75,
  140: 42,
  141: 43,
  142: 101,
  143: 33,
  147: 45,
  148: 46,
  149: 47,
  150: 48,
  151: 49,
  152: 50,
  153: 51,
  154: 52,
  155: 53,
  156: 54,
  157: 55,
  158: 56,
  159: 57,
  160: 58,
  161: 59,
  162: 60,
  163: 24,
  165: 63,
  167: 76,
  169: 66,
  170: 178,
  171: 179,
  172: 77,
  173: 78,
  178: 83,
  179: 84,
  180: 85,
  181: 86,
  183: 91,
  184: 181,
  186: 92,
  187: 41,
  188: 93,
  189: 95,
  190: 109,
  192: 97,
  195: 104,
  196: 100,
  197: 98,
  199: 103,
  200: 197,
  201: 99,
  202: 147,
  203: 131,
  204: 19,
  209: 112,
  210: 106,
  211: 108,
  212: 107,
  213: 111,
  214: 105,
  215: 113,
  220: 115,
  224: 121,
  225: 122,
  226: 124,
  227: 125,
  228: 129,
  229: 130,
  230: 127,
  231: 146,
  235: 132,
  236: 133,
  237: 157,
  239: 141,
  240: 135,
  241: 136,
  242: 180,
  243: 138,
  245: 140,
  248: 149,
  249: 152,
  250: 153,
  251: 154,
  252: 155,
  253: 158,
  254: 159,
  255: 160,
  256: 161,
  258: 171,
  259: 172,
  260: 173,
  264: 177,
  266: 182,
  268: 36,
  270: 183,
  271: 185,
  272: 186,
  273: 199,
  274: 198,
  275: 200,
  276: 210,
  279: 204,
  280: 205,
  283: 206,
  287: 211,
  288: 208,
  290: 212,
  292: 214,
  293: 215,
  294: 216,
  295: 217,
};

/** Blocks that are no packets (pcapng custom blocks) have no link type, and no encapsulation. */
const encapsulation = (linkType: number): number | undefined => (linkType < 0 ? undefined : (ENCAPSULATION[linkType] ?? 0));

/** Octets before the frame that were not on the wire. */
const pseudoHeader = (l: Layer): number => l.frame.interface_.pseudoHeader ?? 0;

const SENT = 0;
const RECEIVED = 1;
/** Link types whose octets before the frame tell its direction. */
const LINUX_LAPD = 177;
const BLUETOOTH_HCI = 201;
const DIRECTED = new Set([139, LINUX_LAPD, BLUETOOTH_HCI, 204]);

/** The direction bits of epb_flags, or what stands before the frame. */
function direction({ frame: { notes, interface_, own, start, ownCaptured } }: Layer): number | undefined {
  const flags = (notes?.flags ?? 0) & 3;
  if (flags !== 0) return flags === 1 ? RECEIVED : SENT;
  const { linkType, pseudoHeader: length = 0 } = interface_;
  if (length === 0 || start + length > ownCaptured || !DIRECTED.has(linkType)) return undefined;
  switch (linkType) {
    // As of Linux cooked captures: sent to others by this host, or by another (LINKTYPE_LINUX_SLL).
    case LINUX_LAPD: {
      const type = u16(own, start);
      return type === 3 || type === 4 ? SENT : RECEIVED;
    }
    case BLUETOOTH_HCI:
      return own[start + 3]! & 1 ? RECEIVED : SENT;
    default:
      return own[start] === 0 ? RECEIVED : SENT;
  }
}

/** From a point in time to a frame's, where the frame has one. One without counts as 0 for those after it, as in Wireshark. */
const since = (frame: Frame, seconds: number, nanoseconds: number): Nanoseconds | undefined =>
  frame.hasTime ? between(frame.seconds, frame.nanoseconds, seconds, nanoseconds) : undefined;

/** `2026-11-21T11:15:40`, worked out once for the frames of a second. */
function isoSecond(second: number): string {
  if (second !== lastSecond) {
    lastSecond = second;
    lastText = isoText(second, 0).replace(/\.0{9}Z?$/, '');
  }
  return lastText;
}
let lastSecond = Number.NaN;
let lastText = '';

function writeIso({ frame }: Layer, out: TextBuffer): void {
  writeSecond(out, isoSecond(frame.seconds), frame.nanoseconds);
  out.ascii('Z"');
}

function writeEpoch({ frame }: Layer, out: TextBuffer): void {
  writeSecond(out, String(frame.seconds), frame.nanoseconds);
  out.byte(34);
}

function writeSecond(out: TextBuffer, second: string, nanoseconds: number): void {
  out.byte(34);
  out.ascii(second);
  out.byte(46);
  out.room(DIGITS_ROOM);
  out.length = putNine(out.view, out.length, nanoseconds);
}

function writeProtocols(l: Layer, out: TextBuffer): void {
  const { layers } = l.frame;
  out.byte(34);
  for (let i = 1; i < layers.length; i++) {
    if (i > 1) out.byte(58);
    out.ascii(layers[i]!.chain);
  }
  out.byte(34);
}

/** Numbers of interfaces, which are told apart as objects: what they are called may occur again in another file. */
class InterfaceNumbers {
  private readonly numbers = new WeakMap<CaptureInterface, number>();
  private last: CaptureInterface | undefined = undefined;
  private lastNumber = 0;
  private count = 0;

  of(one: CaptureInterface): number {
    if (one === this.last) return this.lastNumber;
    let number = this.numbers.get(one);
    if (number === undefined) {
      number = ++this.count;
      this.numbers.set(one, number);
    }
    this.last = one;
    this.lastNumber = number;
    return number;
  }
}

const interfaceNumbers = new InterfaceNumbers();

const hasInterface = ({ frame: { interface_: from } }: Layer): boolean =>
  from.id !== undefined || from.name !== undefined || from.section !== undefined;
const hasTime = (l: Layer): boolean => l.frame.hasTime;
/** Something was noted about it, or may be in what stands before it. */
const hasNotes = (l: Layer): boolean => l.frame.notes !== undefined || pseudoHeader(l) > 0;

const fields = {
  ...gated(hasInterface, {
    sectionNumber: computed('uint32', 'frame.section_number', 'Section number', (l) => l.frame.interface_.section),
    interface: computed('string', 'frame.interface', 'Interface', (l) => l.frame.interface_.name ?? l.frame.interface_.id?.toString()),
    interfaceId: computed('uint32', 'frame.interface_id', 'Interface id', (l) => l.frame.interface_.id),
    interfaceName: computed('string', 'frame.interface_name', 'Interface name', (l) =>
      l.frame.interface_.id === undefined ? undefined : (l.frame.interface_.name ?? 'unknown'),
    ),
    interfaceDescription: computed('string', 'frame.interface_description', 'Interface description', (l) => l.frame.interface_.description),
  }),
  encapsulation: computed('int16', 'frame.encap_type', 'Encapsulation type', (l) => encapsulation(l.frame.interface_.linkType), {
    quiet: true,
  }),
  number: computed('uint32', 'frame.number', 'Frame Number', (l) => l.frame.number),
  ...gated(hasTime, {
    time: computed('time', 'frame.time', 'Arrival Time', (l) => (l.frame.hasTime ? l.frame.time : undefined), { json: writeIso }),
    timeEpoch: computed('duration', 'frame.time_epoch', 'Epoch Time', (l) => (l.frame.hasTime ? l.frame.time : undefined), {
      unit: 'seconds',
      json: writeEpoch,
    }),
    timeDelta: computed(
      'duration',
      'frame.time_delta',
      'Time delta from previous captured frame',
      ({ frame }) => since(frame, frame.previousSeconds, frame.previousNanoseconds),
      { unit: 'seconds', quiet: true },
    ),
    timeDeltaDisplayed: computed(
      'duration',
      'frame.time_delta_displayed',
      'Time delta from previous displayed frame',
      ({ frame }) => since(frame, ...(frame.displayedBase ?? frame.session.displayedBase)),
      { unit: 'seconds', quiet: true },
    ),
    timeRelative: computed(
      'duration',
      'frame.time_relative',
      'Time since reference or first frame',
      ({ frame }) => since(frame, frame.session.firstSeconds, frame.session.firstNanoseconds),
      { unit: 'seconds', quiet: true },
    ),
  }),
  length: computed('uint32', 'frame.len', 'Frame length on the wire', (l) => l.frame.wireLength - pseudoHeader(l), {
    unit: 'bytes',
  }),
  capturedLength: computed(
    'uint32',
    'frame.cap_len',
    'Frame length stored into the capture file',
    (l) => Math.max(0, l.frame.capturedLength - pseudoHeader(l)),
    {
      unit: 'bytes',
    },
  ),
  ...gated(hasNotes, {
    direction: computed('int8', 'frame.p2p_dir', 'Point-to-Point Direction', (l) => (hasNotes(l) ? direction(l) : undefined), {
      values: { [SENT]: 'Sent', [RECEIVED]: 'Received' },
    }),
    dropCount: computed('uint64', 'frame.drop_count', 'Drop Count', (l) => l.frame.notes?.dropCount),
    comment: computed('string', 'frame.comment', 'Comment', (l) => l.frame.notes?.comments?.join(',')),
  }),
  protocols: computed('string', 'frame.protocols', 'Protocols in frame', (l) => l.frame.protocols, { json: writeProtocols }),
  malformed: expert('error', 'malformed', '_ws.malformed', 'Malformed packet', (l) => l.frame.stopped?.reason === 'malformed'),
  cutShort: expert('note', 'protocol', '_ws.short', 'Packet size limited during capture', (l) => l.frame.stopped?.reason === 'truncated'),
};

const second = (l: Layer): number => l.frame.seconds | 0;
const nanoseconds = (l: Layer): number => l.frame.nanoseconds;

/** A packet that came whole, at a time up to the year 2106, and about which nothing was noted. */
const plain: Plain = {
  when: ({ frame }) =>
    frame.notes === undefined &&
    !(frame.interface_.pseudoHeader! > 0) &&
    frame.stopped === undefined &&
    frame.seconds >>> 0 === frame.seconds,
  octets: 0,
  holds: [hasTime],
  fails: [hasNotes],
  present: [fields.number, fields.length, fields.capturedLength],
  decided: {
    rows: [fields.sectionNumber, fields.interface, fields.interfaceId, fields.interfaceName, fields.interfaceDescription],
    by: (l) => interfaceNumbers.of(l.frame.interface_),
  },
  json: [
    [fields.time, [{ by: second, text: (l) => `"${isoSecond(l.frame.seconds)}.` }, { nanoseconds }, 'Z"']],
    [fields.timeEpoch, ['"', second, '.', { nanoseconds }, '"']],
  ],
};

/** What is known of a frame as a whole: number, time, lengths, interface, comments, protocols. */
export class FrameLayer extends layer('frame', 'Frame', fields, 'FRAME', plain) {
  override summary(out: TextBuffer): void {
    out.number(this.end - this.start);
    out.ascii(' octets');
  }
}
