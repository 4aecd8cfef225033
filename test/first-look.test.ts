/** Two looks show what one look shows: the same frames, with the same words. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readPlain, SEGMENT } from '../src/analysis/plain-road.js';
import { Segment } from '../src/analysis/tcp-segment.js';
import { openCapture } from '../src/capture/open.js';
import { CaptureRecord } from '../src/capture/source.js';
import { Tcp } from '../src/dissectors/tcp.js';
import { compileDisplayFilter, type DisplayFilter } from '../src/filter/index.js';
import { FirstLook } from '../src/first-look.js';
import { createSession } from '../src/frames.js';

const folder = new URL('../fixtures/', import.meta.url);
const captures = readdirSync(folder).filter((name) => name.endsWith('.pcap'));
const capture = (name: string) => openCapture(new URL(name, folder).pathname);

/** Selected frames as number, protocol and Info, and how many frames were dissected for them. */
async function selected(name: string, filter: DisplayFilter, look?: FirstLook): Promise<{ lines: string[]; dissected: number }> {
  const reader = await capture(name);
  const session = createSession();
  const record = new CaptureRecord();
  const lines: string[] = [];
  let dissected = 0;
  do {
    while (reader.next(record)) {
      if (look !== undefined && !look.wants(record)) {
        session.skip(record);
        continue;
      }
      dissected++;
      const frame = session.dissect(record);
      if (filter.test(frame)) lines.push(`${frame.number} ${frame.top.shortName} ${frame.info}`);
    }
  } while (await reader.fill());
  await reader.close();
  return { lines, dissected };
}

/** What is in the first look's reach, and what may only look so. */
const FILTERS = [
  'tcp.flags.syn == 1',
  'tcp.flags.syn == 1 && tcp.flags.ack == 0',
  'tcp.flags.fin == 1 || tcp.flags.reset == 1',
  'tcp.port == 80 && tcp.flags.push == 1',
  'tcp.dstport in {80, 6379, 443} && tcp.flags.fin == 1',
  'tcp.flags.reset == 1 && ip.src == 10.0.0.2',
  'ip.addr == 10.77.0.2 && tcp.flags.syn == True',
  'tcp.flags.syn == 1 xor tcp.flags.ack == 1',
  'not tcp.flags.ack == 1',
  'tcp.flags.ack != 1',
  'udp || tcp.flags.syn == 1',
  'icmp',
  'arp or icmp',
  'udp.port == 53',
  'tcp and not tcp.flags.ack == 1',
  'ip.dst == 10.0.0.0/8 && tcp.flags.syn == 1',
  'tcp.port == 0x50 && frame.len < 70 && tcp.flags.fin == 1',
];

describe('a first look', () => {
  test.each(FILTERS)('finds all that matters to %s', async (text) => {
    const filter = compileDisplayFilter(text);
    for (const name of captures) {
      const first = await capture(name);
      const look = await FirstLook.at(first, filter);
      await first.close();
      if (look === undefined) continue;
      expect((await selected(name, filter, look)).lines, name).toEqual((await selected(name, filter)).lines);
    }
  });

  test('leaves out conversations of which no frame is selected, and what comes after the last that is', async () => {
    const filter = compileDisplayFilter('tcp.flags.syn == 1 && tcp.flags.ack == 0');
    const first = await capture('redis.pcap');
    const look = await FirstLook.at(first, filter);
    await first.close();
    const { lines, dissected } = await selected('redis.pcap', filter, look);
    expect(lines.length).toBeGreaterThan(0);
    expect(dissected).toBeLessThan((await selected('redis.pcap', filter)).dissected / 2);
  });

  test('is not worth it, or would change what is found', async () => {
    const looks = async (text: string) => {
      const reader = await capture('http.pcap');
      const look = await FirstLook.at(reader, compileDisplayFilter(text));
      await reader.close();
      return look !== undefined;
    };
    expect(await looks('tcp.flags.syn == 1')).toBe(true);
    // Numbers of conversations, and what spans segments, need them all.
    expect(await looks('tcp.flags.syn == 1 && tcp.stream == 0')).toBe(false);
    expect(await looks('tcp.analysis.retransmission')).toBe(false);
    expect(await looks('http')).toBe(false);
    // Headers alone do not tell.
    expect(await looks('frame.len > 60')).toBe(false);
    expect(await looks('')).toBe(false);
  });
});

test('what headers tell is what the filters find, of all filters that are compared with tshark', async () => {
  const texts = readFileSync(new URL('filter/display-filters.txt', import.meta.url), 'utf8').split('\n');
  const filters = texts.flatMap((text) => {
    try {
      const filter = compileDisplayFilter(text);
      return filter.possible !== undefined || filter.demandsTcp ? [filter] : [];
    } catch {
      return [];
    }
  });
  expect(filters.length).toBeGreaterThan(50);
  const segment = new Segment();
  for (const name of captures) {
    const reader = await capture(name);
    const session = createSession();
    const record = new CaptureRecord();
    do {
      while (session.count < 150 && reader.next(record)) {
        const frame = session.dissect(record);
        const isPlain = readPlain(record, segment) === SEGMENT;
        const isTcp = frame.get(Tcp) !== undefined;
        for (const { test: selects, possible, demandsTcp, text } of filters)
          if (((isPlain && possible?.(segment) === false) || (!isTcp && demandsTcp)) && selects(frame))
            expect.fail(`${text} selects frame ${frame.number} of ${name}`);
      }
    } while (session.count < 150 && (await reader.fill()));
    await reader.close();
  }
});

test('says which filters select no frame without TCP', () => {
  const demands = (text: string) => compileDisplayFilter(text).demandsTcp;
  expect(
    ['tcp', 'tcp.port == 80', 'tcp.port == 80 && ip', 'tcp.port in {1, 2} || tcp.flags.syn', 'tcp.len > 0'].map(demands),
  ).not.toContain(false);
  expect(['ip', 'ip || tcp', '!tcp', 'tcp.port not in {1}', 'tcp.port == 80 xor tcp', 'count(tcp.port) == 0'].map(demands)).not.toContain(
    true,
  );
});
