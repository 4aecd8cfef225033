/**
 * Modbus over TCP: reading and writing the registers and coils of controllers.
 *
 * MODBUS Application Protocol Specification V1.1b3 (functions), MODBUS Messaging on TCP/IP Implementation Guide V1.0b
 * (the header before them).
 *
 *     0  transaction, 2 octets     2  protocol 0, 2 octets     4  octets that follow, 2 octets
 *     6  unit                      7  function, the highest bit set in an exception     8  what the function takes
 *
 * An answer does not say what was asked for, so that only with its request its coils and registers have numbers.
 */
import { bits, bool, bytes, duration, frameNumber, group, many, string, uint8, uint16, uint32 } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import { layer, type Tree } from '../core/layer.js';
import { textOf, u16 } from '../core/octets.js';
import { type ProtocolEntry, tcpPorts } from '../core/registry.js';
import { ALIEN, MORE, type StreamContext, type StreamParser, type StreamProtocol } from '../core/stream.js';
import type { TextBuffer } from '../core/text.js';
import { between, durationText, type Nanoseconds } from '../core/time.js';

const PORT = 502;
/** Octets before what {@link ModbusTcp.length} counts. */
const PREFIX = 6;
/** Octets before the function. */
const HEADER_LENGTH = 7;
/** Octets of unit, function and data at most (section 4.1). */
const MOST = 254;
/** Schneider's UMAS, under which programs go into its controllers, and what it may have: both sides agree on up to 1 KiB of data. */
const UMAS = 90;
const MOST_OF_UMAS = 2 + 1024;
/** Most requests of a connection that wait for their answers. */
const MAX_WAITING = 4096;

const READ_DEVICE_IDENTIFICATION = 14;

const FUNCTIONS: Readonly<Record<number, string>> = {
  1: 'Read Coils',
  2: 'Read Discrete Inputs',
  3: 'Read Holding Registers',
  4: 'Read Input Registers',
  5: 'Write Single Coil',
  6: 'Write Single Register',
  7: 'Read Exception Status',
  8: 'Diagnostics',
  11: 'Get Comm. Event Counters',
  12: 'Get Comm. Event Log',
  15: 'Write Multiple Coils',
  16: 'Write Multiple Registers',
  17: 'Report Slave ID',
  20: 'Read File Record',
  21: 'Write File Record',
  22: 'Mask Write Register',
  23: 'Read Write Register',
  24: 'Read FIFO Queue',
  43: 'Encapsulated Interface Transport',
  90: 'Unity (Schneider)',
};

const EXCEPTIONS: Readonly<Record<number, string>> = {
  1: 'Illegal function',
  2: 'Illegal data address',
  3: 'Illegal data value',
  4: 'Slave device failure',
  5: 'Acknowledge',
  6: 'Slave device busy',
  8: 'Memory parity error',
  10: 'Gateway path unavailable',
  11: 'Gateway target device failed to respond',
};

const DIAGNOSTICS: Readonly<Record<number, string>> = {
  0: 'Return Query Data',
  1: 'Restart Communications Option',
  2: 'Return Diagnostic Register',
  3: 'Change ASCII Input Delimiter',
  4: 'Force Listen Only Mode',
  10: 'Clear Counters and Diagnostic Register',
  11: 'Return Bus Message Count',
  12: 'Return Bus Communication Error Count',
  13: 'Return Bus Exception Error Count',
  14: 'Return Slave Message Count',
  15: 'Return Slave No Response Count',
  16: 'Return Slave NAK Count',
  17: 'Return Slave Busy Count',
  18: 'Return Bus Character Overrun Count',
  20: 'Clear Overrun Counter and Flag',
};

const INTERFACES: Readonly<Record<number, string>> = { 13: 'CANopen Request/Response', 14: 'Read Device Identification' };

const DEVICE_CODES: Readonly<Record<number, string>> = {
  1: 'Basic Device Identification',
  2: 'Regular Device Identification',
  3: 'Extended Device Identification',
  4: 'Specific Identification Object',
};

const OBJECTS: Readonly<Record<number, string>> = {
  0: 'VendorName',
  1: 'ProductCode',
  2: 'MajorMinorRevision',
  3: 'VendorURL',
  4: 'ProductName',
  5: 'ModelName',
  6: 'UserApplicationName',
};

const CONFORMITY: Readonly<Record<number, string>> = {
  1: 'Basic Device Identification (stream)',
  2: 'Regular Device Identification (stream)',
  3: 'Extended Device Identification (stream)',
  129: 'Basic Device Identification (stream and individual)',
  130: 'Regular Device Identification (stream and individual)',
  131: 'Extended Device Identification (stream and individual)',
};

/** The header that Modbus has over TCP. */
export class ModbusTcp extends layer(
  'mbtcp',
  'Modbus/TCP',
  {
    transaction: uint16('mbtcp.trans_id', 'Transaction Identifier', 0),
    protocolId: uint16('mbtcp.prot_id', 'Protocol Identifier', 2),
    length: uint16('mbtcp.len', 'Length', 4),
    unit: uint8('mbtcp.unit_id', 'Unit Identifier', 6),
  },
  'Modbus/TCP',
) {
  override summary(out: TextBuffer): void {
    out.ascii('Transaction ');
    out.number(this.transaction);
    out.ascii(', unit ');
    out.number(this.unit);
  }
}

const rows = {
  code: bits('modbus.func_code', 'Function Code', 0, 8, 0x7f, { values: FUNCTIONS }),
  requestFrame: frameNumber('modbus.request_frame', 'Request Frame'),
  responseTime: duration('modbus.response_time', 'Time from request', { unit: 'seconds' }),
  exceptionCode: uint8('modbus.exception_code', 'Exception Code', { values: EXCEPTIONS }),
  diagnosticCode: uint16('modbus.diagnostic_code', 'Diagnostic Code', { values: DIAGNOSTICS }),
  reference: uint16('modbus.reference_num', 'Reference Number'),
  reference32: many(uint32('modbus.reference_num_32', 'Reference Number (32 bit)')),
  referenceType: many(uint8('modbus.reference_type', 'Reference Type')),
  readReference: uint16('modbus.read_reference_num', 'Read Reference Number'),
  readWordCount: uint16('modbus.read_word_cnt', 'Read Word Count'),
  writeReference: uint16('modbus.write_reference_num', 'Write Reference Number'),
  writeWordCount: uint16('modbus.write_word_cnt', 'Write Word Count'),
  wordCount: many(uint16('modbus.word_cnt', 'Word Count')),
  bitCount: uint16('modbus.bit_cnt', 'Bit Count'),
  byteCount: many(uint8('modbus.byte_cnt', 'Byte Count', { unit: 'bytes' })),
  byteCount16: uint16('modbus.byte_cnt_16', 'Byte Count (16-bit)', { unit: 'bytes' }),
  andMask: uint16('modbus.and_mask', 'AND mask', { base: 'hex' }),
  orMask: uint16('modbus.or_mask', 'OR mask', { base: 'hex' }),
  eventStatus: uint16('modbus.ev_status', 'Status', { base: 'hex' }),
  eventCount: uint16('modbus.ev_count', 'Event Count'),
  messageCount: uint16('modbus.ev_msg_count', 'Message Count'),
  event: many(uint8('modbus.event', 'Event')),
  mei: uint8('modbus.mei', 'MEI type', { values: INTERFACES }),
  readDeviceId: uint8('modbus.read_device_id', 'Read Device ID', { values: DEVICE_CODES }),
  conformity: uint8('modbus.conformity_level', 'Conformity Level', { base: 'hex', values: CONFORMITY }),
  moreFollows: uint8('modbus.more_follows', 'More Follows', { base: 'hex' }),
  nextObject: uint8('modbus.next_object_id', 'Next Object ID'),
  objectCount: uint8('modbus.num_objects', 'Number of Objects'),
  objectId: many(uint8('modbus.object_id', 'Object ID', { values: OBJECTS })),
  objectLength: many(uint8('modbus.objects_len', 'Object length', { unit: 'bytes' })),
  objectText: many(string('modbus.object_str_value', 'Object String Value')),
  objectValue: many(bytes('modbus.object_value', 'Object Value')),
  ...group({ bitNumber: many(uint16('modbus.bitnum', 'Bit Number')) }, { bitValue: many(bool('modbus.bitval', 'Bit Value')) }),
  ...group(
    { registerNumber: many(uint16('modbus.regnum16', 'Register Number')) },
    { registerValue: many(uint16('modbus.regval_uint16', 'Register Value (UINT16)')) },
  ),
  data: many(bytes('modbus.data', 'Data')),
  padding: uint8('modbus.padding', 'Padding', { base: 'hex' }),
};

/** A request, as far as its answer needs it. */
export interface ModbusRequest {
  readonly frame: number;
  readonly seconds: number;
  readonly nanoseconds: number;
  /** The number of the first coil or register asked for, and how many. */
  readonly reference: number;
  readonly count: number;
}

/** A function with what it takes or gives. */
export class ModbusPdu extends layer('modbus', 'Modbus', rows, 'Modbus/TCP') {
  declare isRequest: boolean;
  /** For an answer: what it answers, where that was captured. */
  declare request: ModbusRequest | undefined;
  declare transaction: number;
  declare unit: number;

  /** What went wrong, in an exception. */
  get isException(): boolean {
    return this.start < this.captured && this.bytes[this.start]! >= 0x80;
  }

  /** Nanoseconds from the request to this answer. */
  get latency(): Nanoseconds | undefined {
    const { request, frame } = this;
    return request && between(frame.seconds, frame.nanoseconds, request.seconds, request.nanoseconds);
  }

  override walk(tree: Tree): void {
    if (this.request !== undefined) {
      tree.put(rows.requestFrame, this.request.frame);
      tree.put(rows.responseTime, this.latency!);
    }
    const at = this.start + 1;
    if (this.isException) tree.add(rows.exceptionCode, at);
    else if (this.isRequest) walkRequest(tree, this.code, at, this.end);
    else walkResponse(tree, this.code, at, this.end, this.request);
  }

  override summary(out: TextBuffer): void {
    const { code } = this;
    out.ascii(this.isRequest ? 'Query: Trans: ' : 'Response: Trans: ');
    out.number(this.transaction);
    out.ascii('; Unit: ');
    out.number(this.unit);
    out.ascii(', Func: ');
    out.number(code);
    const at = this.start + 1;
    const part = this.isException ? undefined : this.part(at);
    if (part !== undefined) {
      out.ascii('/');
      out.number(part.code);
    }
    out.ascii(`: ${part?.name ?? FUNCTIONS[code] ?? 'Unknown function'}`);
    if (this.isException) {
      out.ascii('. Exception returned');
      const reason = at < this.captured ? this.bytes[at]! : undefined;
      if (reason !== undefined) out.ascii(`: ${EXCEPTIONS[reason] ?? `code ${reason}`}`);
    } else if (this.isRequest && hasReference(code) && at + 4 <= this.captured) {
      out.ascii(`, ${code === 5 || code === 6 ? 'at' : 'from'} `);
      out.number(u16(this.bytes, at));
      out.ascii(code === 5 || code === 6 ? ' value ' : ' count ');
      const value = u16(this.bytes, at + 2);
      // The two values that a coil can be given (MODBUS Application Protocol section 6.5).
      if (code === 5 && (value === 0 || value === 0xff00)) out.ascii(value === 0 ? 'off' : 'on');
      else out.number(value);
    }
  }

  /** What a function that stands for several does: which of the diagnostics, which interface. */
  private part(at: number): { code: number; name: string | undefined } | undefined {
    if (this.code === 8 && at + 2 <= this.captured) {
      const code = u16(this.bytes, at);
      return { code, name: DIAGNOSTICS[code] };
    }
    if (this.code === 43 && at < this.captured) return { code: this.bytes[at]!, name: INTERFACES[this.bytes[at]!] };
    return undefined;
  }
}

/** Functions whose requests begin with a reference number and a count or value. */
const hasReference = (code: number): boolean => (code >= 1 && code <= 6) || code === 15 || code === 16;

function walkRequest(tree: Tree, code: number, at: number, end: number): void {
  switch (code) {
    case 1:
    case 2:
      tree.add(rows.reference, at);
      tree.add(rows.bitCount, at + 2);
      return;
    case 3:
    case 4:
      tree.add(rows.reference, at);
      tree.add(rows.wordCount, at + 2);
      return;
    case 5:
      return writtenCoil(tree, at);
    case 6:
      return writtenRegister(tree, at);
    case 8:
      return diagnostic(tree, at, end);
    case 15:
      tree.add(rows.reference, at);
      tree.add(rows.bitCount, at + 2);
      return counted(tree, at + 4, end);
    case 16:
      tree.add(rows.reference, at);
      tree.add(rows.wordCount, at + 2);
      return tree.add(rows.byteCount, at + 4) ? registers(tree, at + 5, end, numberAt(tree, at)) : undefined;
    case 20:
    case 21:
      return records(tree, at, end, code === 21);
    case 22:
      return masks(tree, at);
    case 23:
      tree.add(rows.readReference, at);
      tree.add(rows.readWordCount, at + 2);
      tree.add(rows.writeReference, at + 4);
      tree.add(rows.writeWordCount, at + 6);
      return tree.add(rows.byteCount, at + 8) ? registers(tree, at + 9, end, numberAt(tree, at + 4)) : undefined;
    case 24:
      tree.add(rows.reference, at);
      return;
    case 43:
      if (!tree.add(rows.mei, at)) return;
      if (tree.bytes[at] !== READ_DEVICE_IDENTIFICATION) return rest(tree, at + 1, end);
      tree.add(rows.readDeviceId, at + 1);
      tree.add(rows.objectId, at + 2);
      return;
    default:
      return rest(tree, at, end);
  }
}

function walkResponse(tree: Tree, code: number, at: number, end: number, request: ModbusRequest | undefined): void {
  switch (code) {
    case 1:
    case 2:
      if (!tree.add(rows.byteCount, at)) return;
      return request === undefined ? rest(tree, at + 1, end) : coils(tree, at + 1, end, request);
    case 3:
    case 4:
    case 23:
      if (!tree.add(rows.byteCount, at)) return;
      return request === undefined ? rest(tree, at + 1, end) : registers(tree, at + 1, end, request.reference, request.count);
    case 5:
      return writtenCoil(tree, at);
    case 6:
      return writtenRegister(tree, at);
    case 7:
      return rest(tree, at, Math.min(end, at + 1));
    case 8:
      return diagnostic(tree, at, end);
    case 11:
      tree.add(rows.eventStatus, at);
      tree.add(rows.eventCount, at + 2);
      return;
    case 12:
      tree.add(rows.byteCount, at);
      tree.add(rows.eventStatus, at + 1);
      tree.add(rows.eventCount, at + 3);
      tree.add(rows.messageCount, at + 5);
      for (let event = at + 7; event < end && tree.add(rows.event, event); event++);
      return;
    case 15:
      tree.add(rows.reference, at);
      tree.add(rows.bitCount, at + 2);
      return;
    case 16:
      tree.add(rows.reference, at);
      tree.add(rows.wordCount, at + 2);
      return;
    case 17:
      return counted(tree, at, end);
    case 20:
      return readRecords(tree, at, end);
    case 21:
      // The answer repeats the request (section 6.15).
      return records(tree, at, end, true);
    case 22:
      return masks(tree, at);
    case 24:
      tree.add(rows.byteCount16, at);
      tree.add(rows.wordCount, at + 2);
      return rest(tree, at + 4, end);
    case 43:
      return identification(tree, at, end);
    default:
      return rest(tree, at, end);
  }
}

const numberAt = (tree: Tree, at: number): number => (at + 2 <= tree.limit ? u16(tree.bytes, at) : 0);

function rest(tree: Tree, at: number, end: number): void {
  const stop = Math.min(end, tree.limit);
  if (stop > at) tree.add(rows.data, at, stop - at);
}

/** A count of octets, and those. */
function counted(tree: Tree, at: number, end: number): void {
  if (tree.add(rows.byteCount, at)) rest(tree, at + 1, end);
}

/** 0xff00 for on and 0x0000 for off (section 6.5), of which the second octet says nothing. */
function writtenCoil(tree: Tree, at: number): void {
  tree.add(rows.reference, at);
  tree.add(rows.data, at + 2, 2);
  tree.add(rows.padding, at + 3);
}

function writtenRegister(tree: Tree, at: number): void {
  tree.add(rows.reference, at);
  tree.add(rows.data, at + 2, 2);
}

function masks(tree: Tree, at: number): void {
  tree.add(rows.reference, at);
  tree.add(rows.andMask, at + 2);
  tree.add(rows.orMask, at + 4);
}

function diagnostic(tree: Tree, at: number, end: number): void {
  tree.add(rows.diagnosticCode, at);
  rest(tree, at + 2, end);
}

/** Bits, the lowest of each octet first; the last octet is filled up. */
function coils(tree: Tree, at: number, end: number, { reference, count }: ModbusRequest): void {
  for (let i = 0; i < count; i++) {
    const octet = at + (i >> 3);
    if (octet >= Math.min(end, tree.limit)) return;
    tree.openPut(rows.bitNumber, (reference + i) & 0xffff, octet, 1);
    tree.put(rows.bitValue, ((tree.bytes[octet]! >> (i & 7)) & 1) === 1, octet, 1);
    tree.close();
  }
}

function registers(tree: Tree, at: number, end: number, reference: number, count = Number.POSITIVE_INFINITY): void {
  const stop = Math.min(end, tree.limit);
  for (let i = 0; i < count && at + 2 * i + 2 <= stop; i++) {
    tree.openPut(rows.registerNumber, (reference + i) & 0xffff, at + 2 * i, 2);
    tree.add(rows.registerValue, at + 2 * i);
    tree.close();
  }
}

/** What was read of files: a length, a type and as many octets each (section 6.14). */
function readRecords(tree: Tree, at: number, end: number): void {
  if (!tree.add(rows.byteCount, at)) return;
  const stop = Math.min(end, tree.limit);
  for (let group = at + 1; group + 2 <= stop; group += 1 + tree.bytes[group]!) {
    tree.add(rows.byteCount, group);
    tree.add(rows.referenceType, group + 1);
    rest(tree, group + 2, Math.min(end, group + 1 + tree.bytes[group]!));
  }
}

/** Groups of 7 octets, in a write request each with the words to write (sections 6.14 and 6.15). */
function records(tree: Tree, at: number, end: number, withData: boolean): void {
  if (!tree.add(rows.byteCount, at)) return;
  for (let group = at + 1; group + 7 <= Math.min(end, tree.limit); ) {
    tree.add(rows.referenceType, group);
    tree.add(rows.reference32, group + 1);
    tree.add(rows.wordCount, group + 5);
    const octets = withData ? 2 * numberAt(tree, group + 5) : 0;
    if (octets > 0) rest(tree, group + 7, Math.min(end, group + 7 + octets));
    group += 7 + octets;
  }
}

/** Section 6.21. */
function identification(tree: Tree, at: number, end: number): void {
  if (!tree.add(rows.mei, at)) return;
  if (tree.bytes[at] !== READ_DEVICE_IDENTIFICATION) return rest(tree, at + 1, end);
  tree.add(rows.readDeviceId, at + 1);
  tree.add(rows.conformity, at + 2);
  tree.add(rows.moreFollows, at + 3);
  tree.add(rows.nextObject, at + 4);
  tree.add(rows.objectCount, at + 5);
  for (let object = at + 6; object + 2 <= Math.min(end, tree.limit); ) {
    const length = tree.bytes[object + 1]!;
    tree.add(rows.objectId, object);
    tree.add(rows.objectLength, object + 1);
    const from = object + 2;
    if (from + length <= tree.limit) {
      // The first seven are text (section 6.21, table of objects).
      if (tree.bytes[object]! < 7) tree.put(rows.objectText, textOf(tree.bytes, from, from + length), from, length);
      else tree.add(rows.objectValue, from, length);
    }
    object = from + length;
  }
}

/** Requests of a connection that wait for their answers, by transaction, unit and function. */
class Waiting {
  private readonly requests = new Map<number, ModbusRequest>();

  ask(key: number, request: ModbusRequest): void {
    this.requests.delete(key);
    if (this.requests.size >= MAX_WAITING) this.requests.delete(this.requests.keys().next().value!);
    this.requests.set(key, request);
  }

  answer(key: number): ModbusRequest | undefined {
    const request = this.requests.get(key);
    this.requests.delete(key);
    return request;
  }
}

class ModbusParser implements StreamParser {
  need = 0;
  constructor(private readonly context: StreamContext) {}

  measure(b: Uint8Array, start: number, end: number): number {
    const have = end - start;
    this.need = 0;
    if ((have > 2 && b[start + 2] !== 0) || (have > 3 && b[start + 3] !== 0)) return ALIEN;
    if (have < PREFIX) {
      this.need = PREFIX - have;
      return MORE;
    }
    const length = u16(b, start + 4);
    // At least the unit and a function.
    if (length < 2 || length > MOST_OF_UMAS) return ALIEN;
    if (length > MOST) {
      if (have <= HEADER_LENGTH) {
        this.need = HEADER_LENGTH + 1 - have;
        return MORE;
      }
      if (b[start + HEADER_LENGTH] !== UMAS) return ALIEN;
    }
    if (have >= PREFIX + length) return PREFIX + length;
    this.need = PREFIX + length - have;
    return MORE;
  }

  dissect(frame: Frame, start: number, end: number): void {
    this.add(frame, start, end);
  }

  partial(frame: Frame, start: number, end: number): number {
    const held = Math.min(end, frame.captured) - start;
    this.add(frame, start, end);
    return held < PREFIX ? 0 : Math.max(0, PREFIX + u16(frame.bytes, start + 4) - (end - start));
  }

  private add(frame: Frame, start: number, end: number): void {
    const header = new ModbusTcp(frame, start, end);
    if (!frame.add(header, HEADER_LENGTH)) return;
    const pdu = new ModbusPdu(frame, start + HEADER_LENGTH, end);
    const { srcPort, dstPort, fromClient } = this.context;
    pdu.isRequest = dstPort === PORT || (srcPort !== PORT && fromClient);
    pdu.transaction = header.transaction;
    pdu.unit = header.unit;
    if (!frame.add(pdu, 1)) return;
    const { code } = pdu;
    if (!(this.context.shared instanceof Waiting)) this.context.shared = new Waiting();
    const waiting = this.context.shared as Waiting;
    const key = (pdu.transaction << 15) | (pdu.unit << 7) | code;
    if (pdu.isRequest) {
      const at = pdu.start + 1;
      const known = at + 4 <= pdu.captured && (hasReference(code) || code === 23);
      waiting.ask(key, {
        frame: frame.number,
        seconds: frame.seconds,
        nanoseconds: frame.nanoseconds,
        reference: known ? u16(pdu.bytes, at) : 0,
        count: known ? u16(pdu.bytes, at + 2) : 0,
      });
      return;
    }
    pdu.request = waiting.answer(key);
    if (pdu.request !== undefined) frame.remark = ` · ${durationText(pdu.latency!)} after #${pdu.request.frame}`;
  }
}

export const modbusStream: StreamProtocol = { name: 'modbus', sized: true, parser: (context) => new ModbusParser(context) };

export const modbus: ProtocolEntry = {
  name: 'modbus',
  layers: [ModbusTcp, ModbusPdu],
  stream: modbusStream,
  on: [tcpPorts.at(PORT, modbusStream)],
};
