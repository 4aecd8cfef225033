/**
 * What `read -Y` prints is what `read` prints of the same frames, in every format and however the capture comes: no short
 * cut of the reader shows.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Command } from 'commander';
import { afterAll, describe, expect, it } from 'vitest';
import { openCapture, openCaptures } from '../../src/capture/open.js';
import { CaptureRecord } from '../../src/capture/source.js';
import { type ViewOptions, viewOptions } from '../../src/cli/options.js';
import { frameReader } from '../../src/cli/read-frames.js';
import { selectionFor } from '../../src/cli/selection.js';
import { compileDisplayFilter } from '../../src/filter/index.js';
import { open } from '../../src/frames.js';
import { written } from '../written.js';
import { fixture } from './printed.js';

const captures = readdirSync(fixture('')).filter((name) => /\.pcap(ng)?$/.test(name));
const folder = mkdtempSync(join(tmpdir(), 'netlens-selected-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Of all kinds: headers alone tell (the first), streams and analysis are asked about, or every frame is needed. */
const FILTERS = [
  'tcp.flags.syn == 1',
  'tcp.flags.syn == 1 && tcp.flags.ack == 0',
  'tcp.flags.fin == 1 || tcp.flags.reset == 1',
  'tcp.flags.push == 1 && tcp.port in {80, 6379, 8080, 443}',
  'tcp.dstport == 6379',
  'tcp.srcport == 6379 && tcp.len > 20',
  'ip.addr == 10.77.0.2 && tcp.flags.fin == 1',
  'ip.src in {10.77.0.1, 10.0.0.1, 127.0.0.1} && tcp.flags.push == 1',
  'tcp.flags.push == 1 && frame contains "GET"',
  'tcp.flags.reset == 1 && frame.time_delta < 1',
  'tcp.flags.fin == 1 && frame.number > 10',
  'udp || tcp.flags.syn == 1',
  'icmp || arp',
  'udp.port == 53',
  'not tcp.flags.ack == 1',
  'tcp.port != 80',
  'tcp.len > 0',
  'tcp.window_size < 1000',
  'tcp.stream == 1',
  'tcp.analysis.flags',
  'tcp.seq > 100 && tcp.seq < 1000',
  'tcp.time_delta > 0.01',
  'http || resp || http2',
  'http.response.code >= 300 || http.request.method == "POST"',
  'resp.error || resp.command',
  'dns.flags.response == 1',
  'tls.handshake.type == 1',
  '_ws.expert',
  '_ws.col.info contains "SYN"',
  'frame.protocols contains "http"',
  'frame.len > 500 or ip.ttl < 10',
  'ip.frag_offset > 0 or ip.flags.mf == 1',
  'frame.time_delta_displayed > 0.001',
  'string(frame.number) matches "7$"',
];

/** Options of formats, and how what they print parts into frames. */
const FORMATS: readonly { readonly options: readonly string[]; readonly parts: RegExp }[] = [
  { options: ['-T', 'text'], parts: /^/m },
  { options: ['-V'], parts: /^(?=Frame, )/m },
  { options: ['--json'], parts: /^/m },
  { options: ['-x'], parts: /^(?= *\d+ +-?\d+\.\d+ )/m },
  {
    options: ['-T', 'fields', '-e', 'frame.number', '-e', 'tcp.stream', '-e', 'tcp.seq', '-e', '_ws.col.info', '-e', 'http.time'],
    parts: /^/m,
  },
];

const optionsOf = (words: readonly string[]): ViewOptions =>
  viewOptions(new Command())
    .parse([...words, '--color', 'never'], { from: 'user' })
    .opts();

/** What `read` prints. */
const read = (files: readonly string[], words: readonly string[]): Promise<string> =>
  written(async (sink) => {
    const options = optionsOf(words);
    const readFrames = frameReader(files, options, sink);
    const reader = await openCaptures(files);
    const selection = await selectionFor(options, { inputs: files, linkType: reader.interfaces[0]?.linkType ?? 1 });
    await readFrames(reader, selection, { seen: 0, selected: 0 });
    await selection.close();
    await reader.close();
  });

/** Lines are laid out by those beside them, and tell the time since. */
const alone = (part: string): string =>
  part
    .replace(/^.*frame\.time_delta_displayed$/m, '')
    .replace(/"time_delta_displayed":"[^"]*"/, '')
    .replace(/ +/g, ' ')
    .trim();

const framesIn = (text: string, parts: RegExp): string[] => (text === '' ? [] : text.split(parts).map(alone));

/** Numbers of the frames that each filter selects when all is dissected. */
async function selectedFrom(path: string): Promise<number[][]> {
  const filters = FILTERS.map((text) => ({ filter: compileDisplayFilter(text), numbers: [] as number[] }));
  for await (const frame of open(path)) {
    let isShown = false;
    for (const { filter, numbers } of filters)
      if (filter.test(frame)) {
        numbers.push(frame.number);
        isShown = true;
      }
    if (isShown) frame.session.shown(frame);
  }
  return filters.map(({ numbers }) => numbers);
}

async function packetsOf(path: string): Promise<string[]> {
  const found: string[] = [];
  const reader = await openCapture(path);
  const record = new CaptureRecord();
  do {
    while (reader.next(record))
      found.push(
        `${record.seconds}.${record.nanoseconds} ${record.wireLength} ${Buffer.from(record.bytes.subarray(record.start, record.captured)).toString('hex')}`,
      );
  } while (await reader.fill());
  await reader.close();
  return found;
}

describe('read -Y', () => {
  it.each(captures.map((name, index) => ({ name, index })))(
    'shows and writes $name as read does',
    { timeout: 120_000 },
    async ({ name, index }) => {
      const path = fixture(name);
      const wanted = await selectedFrom(path);
      const whole = await Promise.all(FORMATS.map(async ({ options, parts }) => framesIn(await read([path], options), parts)));
      const packets = await packetsOf(path);
      for (const frames of whole) expect(frames).toHaveLength(packets.length);
      for (const [i, text] of FILTERS.entries()) {
        // Depends on the frames that are shown, so on the filter itself.
        const numbers = text.includes('_displayed') ? undefined : wanted[i]!;
        const compare = async (f: number): Promise<void> => {
          const { options, parts } = FORMATS[f]!;
          const shown = framesIn(await read([path], [...options, '-Y', text]), parts);
          if (numbers) expect(shown, `${options.join(' ')} -Y '${text}'`).toEqual(numbers.map((number) => whole[f]![number - 1]));
        };
        // Lines of every filter, and one of the other ways.
        await compare(0);
        const way = (i + index) % (FORMATS.length + 1);
        if (way > 0 && way < FORMATS.length) await compare(way);
        if (numbers === undefined) continue;
        if (way === 0) {
          const few = 1 + (i % 3);
          const first = framesIn(await read([path], ['-c', String(few), '-Y', text]), /^/m);
          expect(first, `-c ${few} -Y '${text}'`).toEqual(numbers.slice(0, few).map((number) => whole[0]![number - 1]));
        }
        if (way === FORMATS.length) {
          const file = join(folder, 'out.pcapng');
          rmSync(file, { force: true });
          await read([path], ['-w', file, '-Y', text]);
          expect(await packetsOf(file), `-w -Y '${text}'`).toEqual(numbers.map((number) => packets[number - 1]));
        }
      }
    },
  );

  it('shows the same of several files, of a compressed one, and of what it cannot read twice', { timeout: 120_000 }, async () => {
    const files = ['http.pcap', 'redis.pcap', 'dns-unanswered.pcap', 'reset.pcap'].map(fixture);
    const packed = join(folder, 'http.pcap.gz');
    writeFileSync(packed, gzipSync(readFileSync(fixture('http.pcap'))));
    const pipe = (words: string): string =>
      execFileSync('sh', ['-c', `cat '${fixture('http.pcap')}' | '${process.execPath}' dist/netlens.js read - ${words}`], {
        env: { ...process.env, LC_ALL: 'C.UTF-8' },
      }).toString();
    const ways: readonly { readonly whole: string; readonly part: (filter: string) => Promise<string> }[] = [
      { whole: await read(files, []), part: (filter) => read(files, ['-Y', filter]) },
      { whole: await read([packed], []), part: (filter) => read([packed], ['-Y', filter]) },
      { whole: pipe('--color never'), part: async (filter) => pipe(`--color never -Y '${filter}'`) },
    ];
    for (const { whole, part } of ways) {
      const frames = framesIn(whole, /^/m);
      for (const [filter, chosen] of Object.entries({
        'tcp.flags.syn == 1 && tcp.flags.ack == 0': /\[SYN\]/,
        'tcp.flags.reset == 1 && tcp.flags.ack == 0': /\[RST\]/,
        'udp.port == 5399 && !icmp': / DNS /,
      }))
        expect(framesIn(await part(filter), /^/m), filter).toEqual(frames.filter((line) => chosen.test(line)));
    }
  });
});
