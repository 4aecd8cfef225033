/**
 * Trivial File Transfer Protocol: a file in numbered blocks over UDP, from a port that the server picks anew.
 *
 * RFC 1350, RFC 2347 (options), RFC 2348 (block size), RFC 7440 (windows of blocks).
 *
 *     0  opcode, 2 octets     2  request: file, mode and options as texts that end with a zero
 *                             2  data and acknowledgement: block number, 2 octets; 4  data
 *                             2  error: code, 2 octets; 4  text
 */
import { expert, frameNumber, group, many, string, uint16, uint32 } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import { layer, type Tree } from '../core/layer.js';
import { textOf, u16 } from '../core/octets.js';
import { type Dissect, type ProtocolEntry, udpPorts } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { networkOf } from './pseudo-header.js';

const PORT = 69;
const READ = 1;
const WRITE = 2;
const DATA = 3;
const ACKNOWLEDGEMENT = 4;
const ERROR = 5;
const OPTIONS = 6;
/** Octets of a block where nothing else was agreed on (RFC 1350 section 2). */
const BLOCK_SIZE = 512;

const OPCODES: Readonly<Record<number, string>> = {
  [READ]: 'Read Request',
  [WRITE]: 'Write Request',
  [DATA]: 'Data Packet',
  [ACKNOWLEDGEMENT]: 'Acknowledgement',
  [ERROR]: 'Error Code',
  [OPTIONS]: 'Option Acknowledgement',
  255: 'Information (MSDP)',
};

const ERRORS: Readonly<Record<number, string>> = {
  0: 'Not defined',
  1: 'File not found',
  2: 'Access violation',
  3: 'Disk full or allocation exceeded',
  4: 'Illegal TFTP Operation',
  5: 'Unknown transfer ID',
  6: 'File already exists',
  7: 'No such user',
  8: 'Option negotiation failed',
};

const option = {
  name: string('tftp.option.name', 'Option name'),
  value: string('tftp.option.value', 'Option value'),
};

const rows = {
  opcode: uint16('tftp.opcode', 'Opcode', 0, { values: OPCODES }),
  sourceFile: string('tftp.source_file', 'Source File'),
  destinationFile: string('tftp.destination_file', 'Destination File'),
  requestFrame: frameNumber('tftp.request_frame', 'Request frame'),
  mode: string('tftp.type', 'Type'),
  block: uint16('tftp.block', 'Block'),
  fullBlock: uint32('tftp.block.full', 'Full Block Number'),
  ...group(
    { errorCode: uint16('tftp.error.code', 'Error code', { values: ERRORS }) },
    { errorMessage: string('tftp.error.message', 'Error message') },
  ),
  isError: expert('warn', 'response', 'tftp.error', 'TFTP ERROR packet'),
  optionName: many(option.name),
  optionValue: many(option.value),
};

/** A file on its way. */
interface Transfer {
  readonly file: string;
  readonly frame: number;
  blockSize: number;
  /** The highest full number of a block so far: those on the wire begin anew after 65 535. */
  highest: number;
}

/** A message of a transfer. */
export class Tftp extends layer('tftp', 'Trivial File Transfer Protocol', rows) {
  /** What it belongs to, where the request was captured. */
  declare transfer: Transfer | undefined;
  declare fullNumber: number | undefined;

  private get kind(): number {
    return this.start + 2 <= this.captured ? u16(this.bytes, this.start) : 0;
  }

  override walk(tree: Tree): void {
    const { kind, start, captured, transfer } = this;
    const at = start + 2;
    if (transfer !== undefined && kind !== READ && kind !== WRITE) {
      tree.put(rows.destinationFile, transfer.file);
      tree.put(rows.requestFrame, transfer.frame);
    }
    switch (kind) {
      case READ:
      case WRITE: {
        const file = textEnd(this.bytes, at, captured);
        tree.put(kind === READ ? rows.sourceFile : rows.destinationFile, textOf(this.bytes, at, file), at, file - at);
        const mode = textEnd(this.bytes, Math.min(file + 1, captured), captured);
        tree.put(rows.mode, textOf(this.bytes, file + 1, mode), file + 1, Math.max(0, mode - file - 1));
        return this.walkOptions(tree, mode + 1);
      }
      case DATA:
      case ACKNOWLEDGEMENT:
        if (!tree.add(rows.block, at)) return;
        if (this.fullNumber !== undefined) tree.put(rows.fullBlock, this.fullNumber, at, 2);
        return;
      case ERROR: {
        if (!tree.open(rows.errorCode, at)) return;
        const stop = textEnd(this.bytes, at + 2, captured);
        tree.put(rows.errorMessage, textOf(this.bytes, at + 2, stop), at + 2, stop - at - 2);
        tree.close();
        tree.put(rows.isError, true);
        return;
      }
      case OPTIONS:
        return this.walkOptions(tree, at);
    }
  }

  private walkOptions(tree: Tree, from: number): void {
    for (const { name, value, at, end } of optionsOf(this.bytes, from, this.captured)) {
      tree.heading(`${name} = ${value}`, at, end - at);
      tree.put(rows.optionName, name, at, end - at);
      tree.put(rows.optionValue, value, at, end - at);
      tree.close();
    }
  }

  override summary(out: TextBuffer): void {
    const { kind, bytes: b, start, captured, transfer } = this;
    out.ascii(OPCODES[kind] ?? `Unknown opcode ${kind}`);
    const at = start + 2;
    if (kind === READ || kind === WRITE) {
      const file = textEnd(b, at, captured);
      out.text(`, File: ${textOf(b, at, file)}, Transfer type: `);
      const mode = textEnd(b, Math.min(file + 1, captured), captured);
      out.text(textOf(b, file + 1, mode));
      writeOptions(out, b, mode + 1, captured);
    } else if ((kind === DATA || kind === ACKNOWLEDGEMENT) && at + 2 <= captured) {
      out.ascii(', Block: ');
      out.number(this.fullNumber ?? u16(b, at));
      if (kind === DATA && transfer !== undefined && this.end - at - 2 < transfer.blockSize) out.ascii(' (last)');
    } else if (kind === ERROR && at + 2 <= captured) {
      out.ascii(`, Code: ${ERRORS[u16(b, at)] ?? u16(b, at)}`);
      const stop = textEnd(b, at + 2, captured);
      if (stop > at + 2) out.text(`, Message: ${textOf(b, at + 2, stop)}`);
    } else if (kind === OPTIONS) writeOptions(out, b, at, captured);
  }
}

function writeOptions(out: TextBuffer, b: Uint8Array, from: number, end: number): void {
  for (const { name, value } of optionsOf(b, from, end)) out.text(`, ${name}=${value}`);
}

/** Where the text at `from` ends: at its zero, or with what there is. */
function textEnd(b: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && b[at] !== 0) at++;
  return at;
}

/** Names and values by turns; each takes an octet at least. */
function* optionsOf(b: Uint8Array, from: number, end: number): Generator<{ name: string; value: string; at: number; end: number }> {
  for (let at = from; at < end; ) {
    const name = textEnd(b, at, end);
    if (name >= end) return;
    const value = textEnd(b, name + 1, end);
    yield { name: textOf(b, at, name), value: textOf(b, name + 1, value), at, end: value };
    at = value + 1;
  }
}

/** A request, or what follows it. */
function dissectMessage(frame: Frame, start: number, end: number, transfer: Transfer | undefined): Tftp {
  const tftp = new Tftp(frame, start, end);
  tftp.transfer = transfer;
  if (!frame.add(tftp, 4)) return tftp;
  const kind = u16(frame.bytes, start);
  if ((kind === DATA || kind === ACKNOWLEDGEMENT) && transfer !== undefined) {
    const block = u16(frame.bytes, start + 2);
    // The number nearest to those seen: it may have begun anew, or be an old one sent again.
    let full = transfer.highest - (transfer.highest & 0xffff) + block;
    if (full + 0x8000 < transfer.highest) full += 0x1_0000;
    else if (full > transfer.highest + 0x8000 && full >= 0x1_0000) full -= 0x1_0000;
    if (full > transfer.highest) transfer.highest = full;
    tftp.fullNumber = full;
  } else if (kind === OPTIONS && transfer !== undefined) {
    for (const { name, value } of optionsOf(frame.bytes, start + 2, tftp.captured))
      if (name.toLowerCase() === 'blksize' && /^\d{1,5}$/.test(value)) transfer.blockSize = Number(value);
  }
  if (kind === DATA) frame.data(start + 4, end);
  return tftp;
}

export const dissectTftp: Dissect = (frame, start, end) => {
  const tftp = dissectMessage(frame, start, end, undefined);
  const client = networkOf(tftp)?.source;
  const { transport } = frame;
  if (start + 4 > tftp.captured || client === undefined || transport === undefined) return;
  const kind = u16(frame.bytes, start);
  if (kind !== READ && kind !== WRITE) return;
  const transfer: Transfer = {
    file: textOf(frame.bytes, start + 2, textEnd(frame.bytes, start + 2, tftp.captured)),
    frame: frame.number,
    blockSize: BLOCK_SIZE,
    highest: 0,
  };
  // The server answers from a port of its own choice (RFC 1350 section 4), so the client's is what is known.
  frame.session.expected.add(client, transport.srcPort, (f, s, e) => {
    dissectMessage(f, s, e, transfer);
  });
};

/** Requests on any port: a file, one of the modes (RFC 1350 section 2), and nothing but whole options. */
function isRequest(b: Uint8Array, start: number, end: number): boolean {
  if (end - start < 9 || (u16(b, start) !== READ && u16(b, start) !== WRITE) || b[end - 1] !== 0) return false;
  const file = textEnd(b, start + 2, end);
  for (let at = start + 2; at < file; at++) if (b[at]! < 0x20) return false;
  const mode = textEnd(b, file + 1, end);
  return file > start + 2 && mode < end && MODES.has(textOf(b, file + 1, mode).toLowerCase());
}

const MODES: ReadonlySet<string> = new Set(['netascii', 'octet', 'mail']);

export const tftp: ProtocolEntry = {
  name: 'tftp',
  layers: [Tftp],
  dissect: dissectTftp,
  on: [udpPorts.at(PORT, dissectTftp)],
  recogniser: { over: 'udp', recognise: isRequest },
};
