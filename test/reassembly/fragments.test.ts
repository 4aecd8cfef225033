import { describe, expect, it } from 'vitest';
import { Registry } from '../../src/core/registry.js';
import { Session } from '../../src/core/session.js';
import { PROTOCOLS } from '../../src/dissectors/index.js';
import { createSession } from '../../src/frames.js';
import { Fragments } from '../../src/reassembly/fragments.js';
import { dissect, hex, values } from '../packets.js';

const IPV4 = 228;

/** Octets 0, 1, 2, … of a UDP datagram of 24 octets, header first. */
const DATAGRAM = hex('9c40 c357 0018 0000 | 00010203 04050607 08090a0b 0c0d0e0f');

/** An IPv4 fragment with the datagram's octets `[from, to)`, all raised by `shift`. */
function fragment(from: number, to: number, more: boolean, { id = 1, protocol = 17, shift = 0 } = {}): Uint8Array {
  const place = ((more ? 0x2000 : 0) | (from / 8)).toString(16).padStart(4, '0');
  const length = (20 + to - from).toString(16).padStart(4, '0');
  const header = `4500 ${length} ${id.toString(16).padStart(4, '0')} ${place} 40 ${protocol.toString(16).padStart(2, '0')} 0000 c0000201 c0000202`;
  const data = Array.from({ length: to - from }, (_, i) => ((DATAGRAM[from + i] ?? 0) + shift) & 0xff);
  return Uint8Array.from([...hex(header), ...data]);
}

/** Dissect fragments one a frame and a second apart, and say what field `name` is in each. */
function run(packets: readonly Uint8Array[], session = createSession(), step = 1) {
  return packets.map((octets, i) => {
    const frame = dissect(octets, { session, linkType: IPV4, seconds: i * step });
    return (name: string) => (name === 'info' ? frame.info : values(frame, name));
  });
}

const TWO_ERRORS = ['ip.fragment', 'ip.fragment.error', 'ip.fragment.overlap', 'ip.fragment.overlap.conflict'];

describe('IPv4 fragments', () => {
  it.each([
    ['in order', [0, 1, 2], '1,2,3'],
    ['backwards', [2, 1, 0], '3,2,1'],
    ['in any order', [1, 2, 0], '3,1,2'],
  ])('come %s, and the frame that completes the datagram has it', (_how, order, frames) => {
    const parts = [fragment(0, 8, true), fragment(8, 16, true), fragment(16, 24, false)];
    const [first, , last] = run(order.map((i) => parts[i]!));
    expect(first!('udp.srcport')).toBe('');
    expect(last!('ip.fragment')).toBe(frames);
    expect(last!('ip.fragment.count')).toBe('3');
    expect(last!('ip.reassembled.length')).toBe('24');
    expect(last!('udp.srcport')).toBe('40000');
    expect(last!('data.data')).toBe('000102030405060708090a0b0c0d0e0f');
  });

  it('says of each what it is a fragment of', () => {
    const [first, second] = run([fragment(0, 8, true), fragment(8, 16, true)]);
    expect(first!('info')).toBe('Fragmented IP protocol (proto=UDP 17, off=0, ID=0001)');
    expect(second!('info')).toBe('Fragmented IP protocol (proto=UDP 17, off=8, ID=0001)');
  });

  it('lets the lower offset win where fragments overlap, and tells', () => {
    const same = run([fragment(0, 16, true), fragment(8, 16, true), fragment(16, 24, false)])[2]!;
    expect(TWO_ERRORS.map(same)).toEqual(['1,2,3', '', '1', '']);
    const other = run([fragment(0, 16, true), fragment(8, 16, true, { shift: 1 }), fragment(16, 24, false)])[2]!;
    expect(TWO_ERRORS.map(other)).toEqual(['1,3', '2', '1', '1']);
    expect(other('data.data')).toBe('000102030405060708090a0b0c0d0e0f');
  });

  it('believes the first tail', () => {
    const [, , last] = run([fragment(8, 24, false), fragment(8, 32, false), fragment(0, 8, true)]);
    expect(last!('ip.fragment.multipletails')).toBe('1');
    expect(last!('ip.fragment.toolongfragment')).toBe('1');
    expect(last!('ip.fragment.error')).toBe('2');
    expect(last!('ip.reassembled.length')).toBe('24');
  });

  it('forgets a datagram that is complete', () => {
    const parts = [fragment(0, 8, true), fragment(8, 24, false)];
    const said = run([...parts, parts[0]!, ...parts]);
    expect(said.map((of) => of('ip.fragment.count'))).toEqual(['', '2', '', '', '3']);
  });

  it('keeps datagrams of other identification or protocol apart', () => {
    const said = run([fragment(0, 8, true), fragment(8, 24, false, { id: 2 }), fragment(8, 24, false, { protocol: 18 })]);
    expect(said.map((of) => of('ip.fragment.count'))).toEqual(['', '', '']);
  });

  it('leaves out what was not captured whole, and dissects such a first fragment alone', () => {
    const session = createSession();
    const frame = dissect(fragment(0, 16, true).slice(0, 32), { session, linkType: IPV4, wireLength: 36 });
    expect(values(frame, 'udp.dstport')).toBe('50007');
    const [last] = run([fragment(16, 24, false)], session);
    expect(last!('ip.fragment.count')).toBe('');
  });

  it('stay apart where that is asked for: the first is dissected by itself, the others are data', () => {
    const parts = [fragment(0, 16, true), fragment(16, 24, false)];
    const [first, last] = run(parts, createSession({ defragment: false }));
    expect(['udp.dstport', 'udp.length', 'data.data'].map(first!)).toEqual(['50007', '24', '0001020304050607']);
    expect(['udp.dstport', 'ip.fragment.count', 'data.data'].map(last!)).toEqual(['', '', '08090a0b0c0d0e0f']);
  });
});

describe('the bounds', () => {
  const within = (limits: ConstructorParameters<typeof Fragments>[0]) => {
    const fragments = new Fragments(limits);
    const hooks = { fragment: fragments.add.bind(fragments) };
    return { fragments, session: new Session({ registry: new Registry(PROTOCOLS), hooks }) };
  };

  it('hold for packet time', () => {
    const { fragments, session } = within({ seconds: 60 });
    const said = run([fragment(0, 8, true), fragment(8, 24, false)], session, 61);
    expect(said[1]!('ip.fragment.count')).toBe('');
    expect([fragments.dropped, fragments.waiting.datagrams]).toEqual([1, 1]);
  });

  it('hold for datagrams and octets, the oldest goes first', () => {
    const many = Array.from({ length: 100 }, (_, i) => fragment(0, 8, true, { id: i }));
    const few = within({ datagrams: 10 });
    run(many, few.session, 0);
    expect([few.fragments.waiting.datagrams, few.fragments.dropped]).toEqual([10, 90]);
    expect(run([fragment(8, 24, false, { id: 99 })], few.session)[0]!('ip.fragment.count')).toBe('2');
    const small = within({ octets: 1000 });
    run(many, small.session, 0);
    expect(small.fragments.waiting.octets).toBeLessThanOrEqual(1000);
  });

  it('give a datagram up that is sent over and over', () => {
    const { fragments, session } = within({});
    const again = fragment(0, 8, true);
    for (let i = 0; i < 16_384; i++) dissect(again, { session, linkType: IPV4 });
    expect([fragments.dropped, fragments.waiting.octets]).toEqual([1, 0]);
  });
});
