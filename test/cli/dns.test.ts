import { describe, expect, it } from 'vitest';
import { DnsKind } from '../../src/cli/dns.js';
import { ExchangeLines } from '../../src/cli/exchange-lines.js';
import { type ExchangeOptions, runExchanges } from '../../src/cli/exchanges.js';
import { Sink } from '../../src/cli/sink.js';
import { fixture, listed, recorded } from './printed.js';

const FIXTURE = fixture('dns.pcap');
const kind = () => new DnsKind();
const printed = (options: Partial<ExchangeOptions>) => listed(FIXTURE, kind, options);

describe('netlens dns', () => {
  it('prints a line a lookup, and what it saw', async () => {
    const lines = await printed({});
    expect(lines).toHaveLength(17);
    expect(lines[0]).toMatch(/^ +time {2}client +server +question +answer +took$/);
    expect(lines[1]).toMatch(
      /^0\.000000 {2}10\.99\.2\.1 {2}10\.99\.2\.2 {2}A {5}www\.example\.test +CNAME cdn\.example\.test → 192\.0\.2\.8, 192\.0\.2\.7 +490 µs {2}authoritative$/,
    );
    expect(lines.find((line) => line.includes('big.example.test'))).toMatch(/697 µs {2}authoritative, truncated, then TCP$/);
    expect(lines.at(-1)).toBe(
      '15 questions: 15 answered, 0 unanswered · 32 messages · no holes · 0 frames cut short · drops by the kernel not recorded',
    );
  });

  it('chooses by errors, by time taken, and by a display filter that any frame of a lookup may match', async () => {
    const names = async (options: Partial<ExchangeOptions>) =>
      (await printed(options)).slice(1, -1).map((line) => line.split(/ +/)[line.startsWith(' ') ? 5 : 4]);
    expect(await names({ errors: true })).toEqual(['nothere.example.test', 'other.test']);
    expect(await names({ displayFilter: 'dns.flags.rcode == 3' })).toEqual(['nothere.example.test']);
    expect(await names({ slow: 0.0004 })).toEqual(['www.example.test', 'big.example.test']);
    expect((await names({ sort: 'took' })).slice(0, 3)).toEqual(['big.example.test', 'www.example.test', 'example.test']);
  });

  it('sums up', async () => {
    const lines = await printed({ stats: true });
    // The widest name makes the column.
    expect(lines[0]).toMatch(/^name {20}type +asked/);
    expect(lines[1]).toMatch(/^www\.example\.test +A +2 +0 +0 +141 µs +490 µs +490 µs +490 µs$/);
    expect(lines.at(-2)).toMatch(/^\(all\) +15 +2 +0 /);
  });

  it('writes records', async () => {
    const records = await recorded(FIXTURE, kind);
    expect(records[0]).toMatchObject({
      type: 'dns',
      community_id: expect.stringMatching(/^1:/) as string,
      question: { name: 'www.example.test' },
      rcode: 'NOERROR',
      latency: 0.00049,
      question_frames: [1],
    });
    expect(records.at(-1)).toMatchObject({ type: 'dns_coverage', answered: 15, unanswered: 0 });
  });

  it('needs captures or an interface, not both', async () => {
    const sink = new Sink();
    const options: ExchangeOptions = { sort: 'time', color: 'never', interface: 'lo' };
    await expect(runExchanges([FIXTURE], options, new ExchangeLines(kind(), options, sink), sink)).rejects.toThrow(
      'either captures or an interface',
    );
  });
});
