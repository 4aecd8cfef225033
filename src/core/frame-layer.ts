/** The frame itself as a layer: what the capture says about it. */
import { computed, expert } from './field.js';
import { type Layer, layer } from './layer.js';
import type { TextBuffer } from './text.js';
import { between, isoText } from './time.js';

/** LINKTYPE_ numbers to Wireshark's own numbering of encapsulations, which `frame.encap_type` prints. */
const ENCAPSULATION: Readonly<Record<number, number>> = {
  0: 15,
  1: 1,
  6: 2,
  8: 3,
  9: 4,
  10: 5,
  12: 7,
  50: 4,
  51: 196,
  100: 10,
  101: 7,
  104: 28,
  105: 20,
  107: 27,
  108: 15,
  109: 32,
  113: 25,
  114: 30,
  117: 39,
  119: 21,
  122: 18,
  123: 11,
  127: 23,
  138: 57,
  139: 16,
  143: 37,
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
  165: 61,
  166: 62,
  177: 75,
  187: 41,
  189: 92,
  192: 84,
  195: 104,
  197: 98,
  201: 99,
  203: 103,
  209: 112,
  215: 127,
  220: 115,
  224: 121,
  226: 125,
  227: 109,
  228: 129,
  229: 130,
  230: 127,
  239: 141,
  240: 139,
  243: 138,
  247: 148,
  249: 152,
  251: 154,
  252: 155,
  253: 158,
  254: 159,
  256: 161,
  258: 163,
  264: 168,
  265: 169,
  266: 170,
  268: 174,
  269: 175,
  270: 176,
  271: 177,
  272: 186,
  276: 210,
  283: 203,
  285: 207,
};

const DIRECTION: Readonly<Record<number, string>> = { 0: 'Sent', 1: 'Received' };

/** The direction bits of epb_flags. */
const direction = (l: Layer): number | undefined => {
  const flags = l.frame.notes?.flags;
  if (flags === undefined || (flags & 3) === 0) return undefined;
  return (flags & 3) === 1 ? 1 : 0;
};

let isoSecond = Number.NaN;
let isoPrefix = '';

/** ISO 8601; the calendar is worked out once a second. */
function writeIso(l: Layer, out: TextBuffer): void {
  const { seconds, nanoseconds } = l.frame;
  if (seconds !== isoSecond) {
    isoSecond = seconds;
    isoPrefix = isoText(seconds, 0).slice(0, -10);
  }
  out.byte(34);
  out.ascii(isoPrefix);
  out.padded(nanoseconds, 9);
  out.ascii('Z"');
}

function writeEpoch(l: Layer, out: TextBuffer): void {
  out.byte(34);
  out.number(l.frame.seconds);
  out.byte(46);
  out.padded(l.frame.nanoseconds, 9);
  out.byte(34);
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

export class FrameLayer extends layer('frame', 'Frame', {
  sectionNumber: computed('uint32', 'frame.section_number', 'Section number', (l) => l.frame.interface_.section),
  interface: computed('string', 'frame.interface', 'Interface', (l) => l.frame.interface_.name ?? l.frame.interface_.id?.toString()),
  interfaceId: computed('uint32', 'frame.interface_id', 'Interface id', (l) => l.frame.interface_.id),
  interfaceName: computed('string', 'frame.interface_name', 'Interface name', (l) =>
    l.frame.interface_.id === undefined ? undefined : (l.frame.interface_.name ?? 'unknown'),
  ),
  interfaceDescription: computed('string', 'frame.interface_description', 'Interface description', (l) => l.frame.interface_.description),
  encapsulation: computed('int16', 'frame.encap_type', 'Encapsulation type', (l) => ENCAPSULATION[l.frame.interface_.linkType] ?? 0, {
    quiet: true,
  }),
  number: computed('uint32', 'frame.number', 'Frame Number', (l) => l.frame.number),
  time: computed('time', 'frame.time', 'Arrival Time', (l) => l.frame.time, { json: writeIso }),
  timeEpoch: computed('duration', 'frame.time_epoch', 'Epoch Time', (l) => l.frame.time, { unit: 'seconds', json: writeEpoch }),
  timeDelta: computed(
    'duration',
    'frame.time_delta',
    'Time delta from previous captured frame',
    (l) => {
      const { frame } = l;
      return between(frame.seconds, frame.nanoseconds, frame.session.previousSeconds, frame.session.previousNanoseconds);
    },
    { unit: 'seconds', quiet: true },
  ),
  timeDeltaDisplayed: computed(
    'duration',
    'frame.time_delta_displayed',
    'Time delta from previous displayed frame',
    (l) => {
      const [seconds, nanoseconds] = l.frame.session.displayedBase;
      return between(l.frame.seconds, l.frame.nanoseconds, seconds, nanoseconds);
    },
    { unit: 'seconds', quiet: true },
  ),
  timeRelative: computed(
    'duration',
    'frame.time_relative',
    'Time since reference or first frame',
    (l) => {
      const { frame } = l;
      return between(frame.seconds, frame.nanoseconds, frame.session.firstSeconds, frame.session.firstNanoseconds);
    },
    { unit: 'seconds', quiet: true },
  ),
  length: computed('uint32', 'frame.len', 'Frame length on the wire', (l) => l.frame.wireLength, { unit: 'bytes' }),
  capturedLength: computed('uint32', 'frame.cap_len', 'Frame length stored into the capture file', (l) => l.frame.capturedLength, {
    unit: 'bytes',
  }),
  direction: computed(
    'int8',
    'frame.p2p_dir',
    'Point-to-Point Direction',
    (l) => (l.frame.notes === undefined ? undefined : direction(l)),
    { values: DIRECTION },
  ),
  dropCount: computed('uint64', 'frame.drop_count', 'Drop Count', (l) => l.frame.notes?.dropCount),
  comment: computed('string', 'frame.comment', 'Comment', (l) => l.frame.notes?.comments?.join(',')),
  protocols: computed('string', 'frame.protocols', 'Protocols in frame', (l) => l.frame.protocols, { json: writeProtocols }),
  malformed: expert('error', '_ws.malformed', 'Malformed packet', (l) => l.frame.stopped?.reason === 'malformed'),
  cutShort: expert('note', '_ws.short', 'Packet size limited during capture', (l) => l.frame.stopped?.reason === 'truncated'),
}) {
  override summary(out: TextBuffer): void {
    out.number(this.end - this.start);
    out.ascii(' octets');
  }
}
