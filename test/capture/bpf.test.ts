import { execFileSync } from 'node:child_process';
import koffi from 'koffi';
import { describe, expect, it } from 'vitest';
import { type BpfFilter, bpfSource, checkBpf, compileBpf, interpretBpf, listBpf } from '../../src/capture/bpf.js';
import { type BpfInstruction, LIBPCAP_NAMES, type Libpcap, loadLibpcap } from '../../src/capture/libpcap.js';
import { PacketFilter } from '../../src/capture/packet-filter.js';
import { suggestDisplayFilter } from '../../src/capture/pcap-expression.js';
import { CaptureRecord } from '../../src/capture/source.js';
import { hex } from '../packets.js';

const i = (code: number, k = 0, jt = 0, jf = 0): BpfInstruction => ({ code, jt, jf, k });
const libpcap = await loadLibpcap().catch((): undefined => undefined);
const hasTcpdump = (() => {
  try {
    execFileSync('tcpdump', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

const run = (filter: BpfFilter, octets: Uint8Array, wireLength = octets.length) => filter(octets, 0, octets.length, wireLength);

describe('the machine', () => {
  const both = (program: BpfInstruction[], octets: Uint8Array, wireLength = octets.length) => {
    const compiled = run(compileBpf(program), octets, wireLength);
    expect(interpretBpf(program, octets, 0, octets.length, wireLength)).toBe(compiled);
    return compiled;
  };
  const RET_A = i(0x16);
  const octets = hex('45 00 81 02 ff fe fd fc');

  it('loads octets, half words and words, and rejects what was not captured', () => {
    expect(both([i(0x30, 7), RET_A], octets)).toBe(0xfc);
    expect(both([i(0x28, 6), RET_A], octets)).toBe(0xfdfc);
    expect(both([i(0x20, 4), RET_A], octets)).toBe(0xfffefdfc);
    for (const [code, k] of [
      [0x30, 8],
      [0x28, 7],
      [0x20, 5],
      [0x30, 0xfffff004],
    ] as const)
      expect(both([i(code, k), i(0x06, 9)], octets)).toBe(0);
    expect(both([i(0x01, 4), i(0x40, 0), RET_A], octets)).toBe(0xfffefdfc);
    expect(both([i(0x01, 0xffffffff), i(0x50, 1), i(0x06, 9)], octets)).toBe(0);
    expect(both([i(0xb1, 0), i(0x87), RET_A], octets)).toBe(20);
    expect(both([i(0x80), RET_A], octets, 1500)).toBe(1500);
  });

  it('reckons modulo 2^32', () => {
    expect(both([i(0x00, 5), i(0x14, 6), RET_A], octets)).toBe(0xffffffff);
    expect(both([i(0x00, 0xffffffff), i(0x24, 0xffffffff), RET_A], octets)).toBe(1);
    expect(both([i(0x00, 7), i(0x84), RET_A], octets)).toBe(0xfffffff9);
    expect(both([i(0x00, 7), i(0x94, 4), i(0xa4, 0xf), RET_A], octets)).toBe(12);
    expect(both([i(0x00, 7), i(0x01, 0), i(0x3c), i(0x06, 9)], octets)).toBe(0);
    expect(both([i(0x00, 1), i(0x01, 40), i(0x6c), RET_A], octets)).toBe(0);
  });

  it('remembers, jumps, and ends a loop that has no end', () => {
    expect(both([i(0x00, 3), i(0x02, 15), i(0x00, 0), i(0x61, 15), i(0x0c), RET_A], octets)).toBe(3);
    expect(both([i(0x00, 3), i(0x15, 3, 0, 1), i(0x06, 1), i(0x06, 2)], octets)).toBe(1);
    expect(both([i(0x00, 3), i(0x05, 0xfffffffe), i(0x06, 1)], octets)).toBe(0);
  });

  it('refuses programs that are wrong', () => {
    for (const [program, message] of [
      [[], 'there is none'],
      [[i(0x00, 1)], 'runs over its end'],
      [[i(0x60, 16), RET_A], 'no M[16]'],
      [[i(0x34, 0), RET_A], 'divides by 0'],
      [[i(0x15, 0, 0, 1), RET_A], 'jumps out'],
      [[i(0x05, 7), RET_A], 'jumps out'],
      [[i(0x18), RET_A], 'no instruction'],
    ] as const)
      expect(() => checkBpf(program)).toThrow(message);
  });
});

/** A source of the same numbers every time (mulberry32). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (((t ^ (t >>> 14)) >>> 0) % below) >>> 0;
  };
}

const ALU_OPERATIONS = [0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80, 0x90, 0xa0];
const EDGES = [0, 1, 2, 13, 14, 31, 63, 64, 0x7fffffff, 0x80000000, 0xfffff000, 0xfffffffe, 0xffffffff];

/** A valid program: its memory is written first, because libpcap's starts with whatever was there. */
function randomProgram(next: (below: number) => number): BpfInstruction[] {
  const memory = Array.from({ length: 16 }, (_, n) => i(0x02, n));
  const length = 3 + next(30);
  const body: BpfInstruction[] = [];
  const operand = () => (next(4) === 0 ? EDGES[next(EDGES.length)]! : next(80));
  for (let at = 0; at < length; at++) {
    const left = length - at - 1;
    switch (next(12)) {
      case 0:
      case 1:
      case 2:
        body.push(i([0x20, 0x28, 0x30, 0x40, 0x48, 0x50][next(6)]!, operand()));
        break;
      case 3:
        body.push(i([0x00, 0x01, 0x80, 0x81][next(4)]!, operand()));
        break;
      case 4:
        body.push(i([0x60, 0x61, 0x02, 0x03][next(4)]!, next(16)));
        break;
      case 5:
        body.push(i(0xb1, operand()));
        break;
      case 6:
      case 7:
      case 8: {
        const operation = ALU_OPERATIONS[next(11)]!;
        const fromX = operation !== 0x80 && next(2) === 1 ? 8 : 0;
        let k = operand();
        if (operation === 0x30 || operation === 0x90) k ||= 3;
        // Shifting by 32 and more is undefined in C.
        if (operation === 0x60 || operation === 0x70) k &= 31;
        body.push(i(0x04 | operation | fromX, k));
        break;
      }
      case 9:
        body.push(i(next(2) ? 0x07 : 0x87));
        break;
      default:
        if (next(6) === 0) body.push(i(0x05, next(left + 1)));
        else body.push(i(0x05 | [0x10, 0x20, 0x30, 0x40][next(4)]! | (next(2) ? 8 : 0), operand(), next(left + 1), next(left + 1)));
    }
  }
  return [...memory, ...body, next(4) === 0 ? i(0x06, 0xffff) : i(0x16)];
}

it('translates as it interprets, and as libpcap runs: 2 000 generated programs on 50 packets each', { timeout: 60_000 }, () => {
  const next = random(4);
  const packets = Array.from({ length: 50 }, () => Uint8Array.from({ length: next(90) }, () => (next(3) === 0 ? next(4) : next(256))));
  const oracle = libpcap && offlineFilter();
  let selected = 0;
  for (let n = 0; n < 2000; n++) {
    const program = randomProgram(next);
    const filter = compileBpf(program);
    const theirs = oracle?.(program);
    for (const packet of packets) {
      const wireLength = packet.length + next(2) * 100;
      const got = run(filter, packet, wireLength);
      const expected = theirs ? theirs(packet, wireLength) : got;
      if (expected !== 0) selected++;
      if (got !== interpretBpf(program, packet, 0, packet.length, wireLength) || got !== expected)
        throw new Error(
          `program ${n} yields ${got}, libpcap ${expected}:\n${listBpf(program).join('\n')}\n${bpfSource(program)}\n${Buffer.from(packet).toString('hex')}`,
        );
    }
  }
  // Programs that all reject at once would prove nothing.
  expect(selected).toBeGreaterThan(15_000);
});

/** libpcap's own pcap_offline_filter(3PCAP). */
function offlineFilter(): (program: readonly BpfInstruction[]) => (packet: Uint8Array, wireLength: number) => number {
  const library = LIBPCAP_NAMES.flatMap((name) => {
    try {
      return [koffi.load(name)];
    } catch {
      return [];
    }
  })[0]!;
  const call = library.func('pcap_offline_filter', 'int', ['void *', 'void *', 'void *']);
  return (program) => {
    const instructions = Buffer.alloc(program.length * 8);
    program.forEach(({ code, jt, jf, k }, n) => {
      instructions.writeUInt16LE(code, n * 8);
      instructions[n * 8 + 2] = jt;
      instructions[n * 8 + 3] = jf;
      instructions.writeUInt32LE(k >>> 0, n * 8 + 4);
    });
    const struct = Buffer.alloc(16);
    struct.writeUInt32LE(program.length);
    struct.writeBigUInt64LE(koffi.address(instructions), 8);
    const header = Buffer.alloc(24);
    return (packet, wireLength) => {
      header.writeUInt32LE(packet.length, 16);
      header.writeUInt32LE(wireLength, 20);
      // An empty array has no address.
      return (call(struct, header, packet.length ? packet : Buffer.alloc(1)) as number) >>> 0;
    };
  };
}

describe.skipIf(!libpcap)('with libpcap', () => {
  const compile = (expression: string, linkType = 1) => (libpcap as Libpcap).compileForFile(expression, linkType, 262_144);

  it('translates a filter with loops: protochain', () => {
    const program = compile('ip6 protochain 6');
    const filter = compileBpf(program);
    // IPv6, hop-by-hop options, destination options, TCP.
    const packet = hex(`
      020000000001 020000000002 86dd
      60000000 0024 00 40 20010db8000000000000000000000001 20010db8000000000000000000000002
      3c00010400000000 | 0600010400000000 | 0400 0050 00000000 00000000 5002 0000 0000 0000`);
    expect(run(filter, packet)).not.toBe(0);
    packet[14 + 40 + 8] = 17;
    expect(run(filter, packet)).toBe(0);
    expect(interpretBpf(program, packet, 0, packet.length, packet.length)).toBe(0);
  });

  it.skipIf(!hasTcpdump)('lists programs as tcpdump -d does', () => {
    for (const expression of [
      'tcp port 443 and not host 192.0.2.1',
      'ip6 protochain 6',
      'tcp[tcpflags] & tcp-syn != 0',
      'len > 100',
      'vlan 5 and udp',
      'ether[0] * 3 % 5 = 1',
      'ip[2:2] - ((ip[0]&0xf)<<2) > 0',
    ]) {
      const theirs = execFileSync('tcpdump', ['-y', 'EN10MB', '-s', '262144', '-d', expression], {
        stdio: ['ignore', 'pipe', 'ignore'],
      }).toString();
      expect(listBpf(compile(expression)).join('\n')).toBe(theirs.trimEnd());
    }
  });

  it('says which tagged frames a filter without vlan left out', async () => {
    const filter = await PacketFilter.create('tcp port 80');
    const record = new CaptureRecord();
    const show = (octets: Uint8Array) => {
      Object.assign(record, {
        bytes: octets,
        start: 0,
        captured: octets.length,
        wireLength: octets.length,
        interface: { ...record.interface, linkType: 1 },
      });
      return filter.test(record);
    };
    const ip = '45 00 0028 0001 0000 40 06 0000 c0000201 c0000202 | 0400 0050 00000000 00000000 5002 0000 0000 0000';
    expect(show(hex(`020000000001 020000000002 0800 ${ip}`))).toBe(true);
    expect(show(hex(`020000000001 020000000002 8100 0005 0800 ${ip}`))).toBe(false);
    expect(show(hex(`020000000001 020000000002 88a8 0007 8100 0005 0800 ${ip}`))).toBe(false);
    expect(show(hex(`020000000001 020000000002 8100 0005 0806 ${ip}`))).toBe(false);
    expect(filter.remark).toBe(
      "2 frames with a VLAN tag were left out that would match without it; -f 'tcp port 80 or (vlan and tcp port 80)' takes them too",
    );
  });
});

it('knows the display filter for a simple expression', () => {
  expect(suggestDisplayFilter('tcp port 443')).toBe('tcp.port == 443');
  expect(suggestDisplayFilter('host 192.0.2.1 and udp dst port 53')).toBe('ip.addr == 192.0.2.1 && udp.dstport == 53');
  expect(suggestDisplayFilter('tcp or udp and not net 10.0.0.0/8')).toBe('(tcp || udp) && !(ip.addr == 10.0.0.0/8)');
  expect(suggestDisplayFilter('tcp[13] & 2 != 0')).toBeUndefined();
  expect(suggestDisplayFilter('')).toBeUndefined();
});
