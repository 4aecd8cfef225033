/** Filters on every recorded capture beside the tools whose languages they are. Skipped where those are not installed. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadLibpcap } from '../../src/capture/libpcap.js';
import { compileDisplayFilter } from '../../src/filter/index.js';
import { besideTcpdump, besideTshark, captureFilters, type Difference, displayFilters, isUnknownField, orRefused } from './differential.js';

const FIXTURES = 'fixtures';
const captures = existsSync(FIXTURES)
  ? readdirSync(FIXTURES)
      .filter((name) => /\.pcap(ng)?$/.test(name))
      .map((name) => join(FIXTURES, name))
  : [];

const has = (tool: string) => spawnSync(tool, ['--version'], { stdio: 'ignore' }).status === 0;

const directory = mkdtempSync(join(tmpdir(), 'netlens-filters-'));
afterAll(() => rmSync(directory, { recursive: true }));

const told = ({ filter, theirs, mine }: Difference): string => `${filter}: the other tool ${theirs}, netlens ${mine}`;

/**
 * Filters that select otherwise than tshark 4.0, as seen. TLS: tshark also lists the layer in frames 30 and 44, which hold
 * a part of a record and no field of it.
 * DHCP: to tshark `ff` is the name of a protocol, see docs/differences.md. HTTP/2: to tshark the answer to an Upgrade (193)
 * ends with its segment, which has the first frames of HTTP/2 in it. HTTP/3: to tshark only CRYPTO frames come again; in
 * packets 9 and 23 the client sends what STREAM frames brought before. PROXY: to tshark the line in packet 16 is a header of
 * HTTP with a wrong name.
 */
const DISSECTED_OTHERWISE: Readonly<Record<string, readonly string[]>> = {
  'fixtures/tls.pcap': ['tls', 'len(tls) == tcp.len'],
  'fixtures/dhcp.pcap': ['ip.dst[3] == ff'],
  'fixtures/http2.pcap': ['len(http) == tcp.len'],
  'fixtures/http3.pcapng': [
    '_ws.expert',
    '_ws.expert.severity',
    '_ws.expert.severity >= 1',
    '_ws.expert.severity >= 4194304',
    '_ws.expert.group == "Sequence"',
    '_ws.expert.message matches "retransmission|server port 80$"',
  ],
  'fixtures/proxy.pcap': [
    'http',
    'http > "C"',
    'len(http) == tcp.len',
    '_ws.expert',
    '_ws.expert.severity',
    '_ws.expert.severity >= 1',
    '_ws.expert.severity >= 4194304',
    '_ws.expert.severity > "Note"',
    '_ws.expert.severity == Warning',
    '_ws.expert.group == Protocol',
    '_ws.expert.group != 33554432',
  ],
};

const { filters, newer } = displayFilters();

describe.skipIf(!has('tshark') || captures.length === 0)('display filters select what tshark -Y selects', () => {
  const list = join(directory, 'filters');
  writeFileSync(list, `${filters.join('\n')}\n`);

  it.each(captures)('%s', { timeout: 60_000 }, async (capture) => {
    const { compared, differences } = (await besideTshark(capture, filters, { list, out: join(directory, 'selected') }))!;
    expect(compared).toBeGreaterThan(1000);
    expect(differences.filter(({ filter }) => !DISSECTED_OTHERWISE[capture]?.includes(filter)).map(told)).toEqual([]);
  });
});

it('accepts what later versions accept', () => {
  const refused = newer.filter((filter) => orRefused(() => compileDisplayFilter(filter)) === 'refused');
  expect(refused.filter((filter) => !isUnknownField(filter))).toEqual([]);
});

const libpcap = await loadLibpcap().catch((): undefined => undefined);

describe.skipIf(!libpcap || !has('tcpdump') || captures.length === 0)('capture filters select what tcpdump -r selects', () => {
  const expressions = captureFilters();
  /** Runs of tcpdump in all: each capture takes its share of the expressions, and every expression has its turn. */
  const share = Math.max(1, Math.ceil((captures.length * expressions.length) / 1000));

  it.each(captures.map((capture, index) => ({ capture, index })))('$capture', { timeout: 60_000 }, async ({ capture, index }) => {
    const mine = expressions.filter((_, i) => i % share === index % share);
    // Undefined: libpcap reads files of one link type only.
    expect((await besideTcpdump(capture, mine))?.differences.map(told) ?? []).toEqual([]);
  });
});
