/**
 * Filters beside the tools whose languages they are: what netlens selects of a capture, and what tshark and tcpdump do.
 * The tests run it over the fixtures, scripts/filters.mjs over a folder of captures.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { openCapture } from '../../src/capture/open.js';
import { PacketFilter } from '../../src/capture/packet-filter.js';
import { CaptureRecord } from '../../src/capture/source.js';
import { NetlensError } from '../../src/core/errors.js';
import { compileDisplayFilter, type DisplayFilter } from '../../src/filter/index.js';
import { createSession, framesOf } from '../../src/frames.js';

/** A filter that selects otherwise than the other tool; each side as numbers with commas, or `refused`. */
export interface Difference {
  readonly filter: string;
  readonly theirs: string;
  readonly mine: string;
}

/** How filters fared on one capture. */
export interface Comparison {
  /** Filters compared, those that both refuse among them. */
  readonly compared: number;
  readonly refused: number;
  readonly differences: readonly Difference[];
}

/** Keeps what another tool answered; without it, the tool is asked each time. */
export type Remember = (key: readonly string[], ask: () => string) => string;

const askAlways: Remember = (_key, ask) => ask();

const REFUSED = 'refused';

/** A list of filters under its headings, lines that begin with two number signs. */
const listed = (name: string): string[] => readFileSync(`test/filter/${name}`, 'utf8').split('\n');
const filtersIn = (lines: readonly string[]): string[] => lines.filter((line) => line !== '' && !line.startsWith('## '));

/** The display filters that tshark 4.0 is asked, too, and those that later versions take. */
export function displayFilters(): { readonly filters: string[]; readonly newer: string[] } {
  const lines = listed('display-filters.txt');
  const [newer, differs] = ['## newer', '## differs'].map((heading) => lines.findIndex((line) => line.startsWith(heading)));
  return { filters: filtersIn(lines.slice(0, newer)), newer: filtersIn(lines.slice(newer, differs)) };
}

export const captureFilters = (): string[] => filtersIn(listed('pcap-filters.txt'));

/** The result, or `refused` for a user's error. */
export function orRefused<T>(make: () => T): T | typeof REFUSED {
  try {
    return make();
  } catch (error) {
    if (error instanceof NetlensError) return REFUSED;
    throw error;
  }
}

/** Does it ask about a field that netlens does not have? That says nothing about the language. */
export function isUnknownField(filter: string): boolean {
  try {
    compileDisplayFilter(filter);
    return false;
  } catch (error) {
    return /: no field /.test((error as Error).message);
  }
}

/**
 * Display filters on a capture beside `tshark -Y`. `list`: a file with the same filters, a line each. Undefined for a capture
 * that tshark does not read.
 */
export async function besideTshark(
  capture: string,
  filters: readonly string[],
  { list, out, remember = askAlways }: { list: string; out: string; remember?: Remember },
): Promise<Comparison | undefined> {
  const answers = remember(['tshark', capture, ...filters], () => {
    rmSync(out, { force: true });
    // Where a capture ends amid a packet, tshark says so and exits 2, too.
    spawnSync('tshark', ['-X', 'lua_script:test/filter/oracle.lua', '-o', 'tcp.reassemble_out_of_order:TRUE', '-q', '-n', '-r', capture], {
      env: { ...process.env, FILTERS: list, OUT: out },
      stdio: 'ignore',
    });
    return existsSync(out) ? readFileSync(out, 'latin1') : '';
  });
  // Of a link type that it does not know, tshark reads nothing, and says only which filters are wrong.
  if (!answers.includes('\tOK\t')) return undefined;
  const theirs = new Map<number, string>();
  for (const line of answers.split('\n')) {
    const [number, state, frames = ''] = line.split('\t');
    if (number !== '') theirs.set(Number(number) - 1, state === 'OK' ? frames : REFUSED);
  }
  if (theirs.size !== filters.length) throw new Error(`tshark answered ${theirs.size} of ${filters.length} filters on ${capture}`);

  const compiled = filters.map((filter) => orRefused(() => compileDisplayFilter(filter)));
  const found = filters.map((): number[] => []);
  const running = [...compiled.entries()].filter((entry): entry is [number, DisplayFilter] => entry[1] !== REFUSED);
  const session = createSession();
  for await (const frame of framesOf(await openCapture(capture), session)) {
    for (const [i, filter] of running) if (filter.test(frame)) found[i]!.push(frame.number);
    session.shown(frame);
  }
  const differences: Difference[] = [];
  let [compared, refused] = [0, 0];
  for (const [i, filter] of filters.entries()) {
    const mine = compiled[i] === REFUSED ? REFUSED : found[i]!.join(',');
    if (mine === REFUSED && theirs.get(i) !== REFUSED && isUnknownField(filter)) continue;
    compared++;
    if (mine !== theirs.get(i)) differences.push({ filter, theirs: theirs.get(i)!, mine });
    else if (mine === REFUSED) refused++;
  }
  return { compared, refused, differences };
}

/** The packets of a capture, octets and all; undefined when libpcap does not read it because of several link types. */
async function packetsOf(capture: string): Promise<CaptureRecord[] | undefined> {
  const records: CaptureRecord[] = [];
  const reader = await openCapture(capture);
  const record = new CaptureRecord();
  do {
    while (reader.next(record)) {
      const octets = record.bytes.slice(record.start, record.captured);
      records.push(Object.assign(new CaptureRecord(), record, { bytes: octets, start: 0, captured: octets.length }));
    }
  } while (await reader.fill());
  await reader.close();
  return new Set(records.map(({ interface: { linkType } }) => linkType)).size === 1 ? records : undefined;
}

const writtenByTcpdump = (capture: string, expression: string): Buffer | undefined => {
  const { status, stdout } = spawnSync('tcpdump', ['-r', capture, '-w', '-', expression], { maxBuffer: 1 << 28 });
  return status === 0 ? stdout : undefined;
};

/** The packets of a pcap file as tcpdump writes it: in the order of this machine. */
function octetsOfRecords(file: Buffer): string[] {
  const found: string[] = [];
  for (let at = 24; at + 16 <= file.length; ) {
    const length = file.readUInt32LE(at + 8);
    found.push(file.toString('latin1', at + 16, at + 16 + length));
    at += 16 + length;
  }
  return found;
}

/**
 * Which of a capture's packets were written. Of packets with the same octets a filter takes all or none. Where a packet is
 * longer than the capture says that any is, libpcap holds its beginning alone.
 */
function numbersOf(packets: readonly string[], all: readonly string[]): string {
  let at = 0;
  const numbers = packets.map((packet) => {
    let found = all.indexOf(packet, at);
    if (found < 0) found = all.findIndex((whole, i) => i >= at && whole.startsWith(packet));
    if (found >= 0) at = found + 1;
    return found < 0 ? 'a packet that is not in the capture' : at;
  });
  return numbers.join(',');
}

/** Capture filters on a capture beside `tcpdump -r`. Undefined for a capture that tcpdump does not read. */
export async function besideTcpdump(
  capture: string,
  expressions: readonly string[],
  { remember = askAlways }: { remember?: Remember } = {},
): Promise<Comparison | undefined> {
  const records = await packetsOf(capture);
  if (records === undefined) return undefined;
  const { linkType } = records[0]!.interface;
  const octets = records.map(({ bytes }) => Buffer.from(bytes).toString('latin1'));
  const reads = remember(['tcpdump', capture], () => String(writtenByTcpdump(capture, '') !== undefined));
  if (reads === 'false') return undefined;
  const differences: Difference[] = [];
  let refused = 0;
  for (const expression of expressions) {
    const theirs = remember(['tcpdump', capture, expression], () => {
      const file = writtenByTcpdump(capture, expression);
      return file === undefined ? REFUSED : numbersOf(octetsOfRecords(file), octets);
    });
    const filter = await PacketFilter.create(expression, linkType).catch((error: unknown) => {
      if (error instanceof NetlensError) return undefined;
      throw error;
    });
    const mine = filter ? records.flatMap((record, i) => (filter.test(record) ? [i + 1] : [])).join(',') : REFUSED;
    if (mine !== theirs) differences.push({ filter: expression, theirs, mine });
    else if (mine === REFUSED) refused++;
  }
  return { compared: expressions.length, refused, differences };
}

/** The link type of a capture's first packet; undefined where there is none that netlens can read. */
export async function linkTypeOf(capture: string): Promise<number | undefined> {
  try {
    const reader = await openCapture(capture);
    const record = new CaptureRecord();
    const found = reader.next(record) || ((await reader.fill()) && reader.next(record));
    await reader.close();
    return found ? record.interface.linkType : undefined;
  } catch (error) {
    if (error instanceof NetlensError) return undefined;
    throw error;
  }
}
