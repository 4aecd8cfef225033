import { describe, expect, it } from 'vitest';
import { type Lease, Leases } from '../../src/analysis/leases.js';
import { createSession } from '../../src/frames.js';
import { dhcpCoverage, dhcpRow } from '../../src/report/dhcp.js';
import { dissect, hex, IPV4, IPV6, ipv6, udpMessage } from '../packets.js';

const TYPE = { discover: 1, offer: 2, request: 3, decline: 4, ack: 5, nak: 6, release: 7, inform: 8 };
const octet = (n: number) => n.toString(16).padStart(2, '0');

/** A message of client 02:00:00:00:00:01; `your` address as hex. */
function dhcp(name: keyof typeof TYPE, xid: number, your = '00000000', options = ''): Uint8Array {
  const isAnswer = name === 'offer' || name === 'ack' || name === 'nak';
  const head = `0${isAnswer ? 2 : 1} 01 06 00 ${xid.toString(16).padStart(8, '0')} 0000 0000 00000000 ${your} 00000000 00000000`;
  const tail = `63825363 3501${octet(TYPE[name])} ${isAnswer ? '3604c0000201' : ''} ${options} ff`;
  return udpMessage(isAnswer ? 67 : 68, isAnswer ? 68 : 67, hex(`${head} 020000000001 ${'00'.repeat(10 + 192)} ${tail}`));
}

/** A message with the client's DUID, over IPv6. */
function dhcpv6(type: number, xid: number, options = '', turned = false): Uint8Array {
  const payload = hex(`${octet(type)} ${xid.toString(16).padStart(6, '0')} 0001 0004 00030001 ${options}`);
  const [from, to] = turned ? ['0223', '0222'] : ['0222', '0223'];
  return ipv6(17, Uint8Array.from([...hex(`${from} ${to}`), 0, 8 + payload.length, 0, 1, ...payload]), turned);
}

/** Messages half a second apart. */
function run(packets: readonly Uint8Array[], linkType = IPV4): { leases: Leases; texts: string[] } {
  const found: Lease[] = [];
  const leases = new Leases((lease) => found.push(lease));
  const session = createSession();
  for (const [i, packet] of packets.entries())
    leases.see(dissect(packet, { session, linkType, seconds: i >> 1, nanoseconds: (i & 1) * 5e8 }));
  leases.finish();
  const texts = found.map((lease) =>
    dhcpRow(lease, [0, 0])
      .slice(2)
      .map((cell) => (typeof cell === 'string' ? cell : cell.text))
      .join(' | '),
  );
  return { leases, texts };
}

const BLANK: Lease = {
  version: 6,
  seconds: 0,
  nanoseconds: 0,
  client: '',
  hostname: undefined,
  server: undefined,
  address: undefined,
  prefix: undefined,
  duration: undefined,
  reason: undefined,
  steps: [],
  retries: 0,
  outcome: 'unanswered',
  latency: undefined,
};

describe('leases', () => {
  it('makes one transaction of four messages', () => {
    const lease = '3304 00000e10';
    const { texts, leases } = run([
      dhcp('discover', 1, undefined, '0c0161'),
      dhcp('offer', 1, 'c0000207', lease),
      dhcp('request', 1, undefined, '3204c0000207'),
      dhcp('ack', 1, 'c0000207', lease),
    ]);
    expect(texts).toEqual(['192.0.2.1 | discover offer request ack | 192.0.2.7 for 1 h 0 min | 1.5 s']);
    expect(dhcpCoverage(leases.counts, { holes: undefined, missing: 0, cut: 2, dropped: 0 })).toBe(
      '1 transaction: 1 leased · 4 messages · 2 frames cut short · 0 dropped by the kernel',
    );
  });

  it('tells renewals, refusals, releases, what nobody answered and what nobody asked', () => {
    const { texts } = run([
      dhcp('request', 2),
      dhcp('ack', 2, 'c0000207'),
      dhcp('request', 3, undefined, '3204c0000207'),
      dhcp('nak', 3, undefined, '3804 6e6f7065'),
      dhcp('release', 4),
      dhcp('ack', 5, 'c0000207'),
      dhcp('discover', 6),
      dhcp('discover', 6),
    ]);
    expect(texts).toEqual([
      '192.0.2.1 | request ack | 192.0.2.7 | 500 ms',
      '192.0.2.1 | request nak | refused 192.0.2.7: nope | 500 ms',
      ' | release | released | ',
      '192.0.2.1 | ack | 192.0.2.7 (question not captured) | ',
      ' | discover, 1 again | no answer | ',
    ]);
  });

  it('joins the steps of DHCPv6 by the client, as its transaction number changes', () => {
    const address = `0003 0028 00000001 00000000 00000000 0005 0018 20010db8${'00'.repeat(11)}07 00000708 00000e10`;
    const { texts } = run([dhcpv6(1, 1), dhcpv6(2, 1, address, true), dhcpv6(3, 2, address), dhcpv6(7, 2, address, true)], IPV6);
    expect(texts).toEqual(['2001:db8::2 | solicit advertise request reply | 2001:db8::7 for 1 h 0 min | 1.5 s']);
  });

  it('tells an address with the prefix that came beside it', () => {
    const address = `0003 0028 00000001 00000000 00000000 0005 0018 20010db8${'00'.repeat(11)}07 00000708 00000e10`;
    const prefix = `0019 0029 00000001 00000000 00000000 001a 0019 00000708 00000e10 38 20010db80007${'00'.repeat(10)}`;
    const { texts } = run([dhcpv6(3, 2), dhcpv6(7, 2, address + prefix, true), dhcpv6(3, 3), dhcpv6(7, 3, prefix, true)], IPV6);
    expect(texts).toEqual([
      '2001:db8::2 | request reply | 2001:db8::7 and 2001:db8:7::/56 for 1 h 0 min | 500 ms',
      '2001:db8::2 | request reply | 2001:db8:7::/56 for 1 h 0 min | 500 ms',
    ]);
  });

  it('sees the two sides of a relay as one', () => {
    const relayed = (octets: Uint8Array, giaddr = 28 + 24) => {
      octets.set([1], 28 + 3);
      octets.set([192, 0, 2, 9], giaddr);
      return octets;
    };
    const { texts } = run([
      dhcp('discover', 1),
      relayed(dhcp('discover', 1)),
      dhcp('offer', 1, 'c0000207'),
      dhcp('offer', 1, 'c0000207'),
      dhcp('request', 1),
      relayed(dhcp('request', 1)),
      dhcp('ack', 1, 'c0000207'),
      dhcp('ack', 1, 'c0000207'),
      // Beside the server it is as without a relay.
      relayed(dhcp('discover', 2)),
      relayed(dhcp('discover', 2)),
    ]);
    expect(texts).toEqual(['192.0.2.1 | discover offer request ack | 192.0.2.7 | 3 s', ' | discover, 1 again | no answer | ']);
  });

  it.each([
    ['0001000132a94c6d020000000401', '02:00:00:00:04:01'],
    ['00030001020000000401', '02:00:00:00:04:01'],
    ['0004aabbccddeeff00112233445566778899', '445566778899'],
    ['00020000ab11cafe', '00020000ab11cafe'],
  ])('names a client of DHCPv6 by its DUID %s', (client, name) => {
    const lease: Lease = { ...BLANK, client };
    expect(dhcpRow(lease, [0, 0])[1]).toMatchObject({ text: name });
  });
});
