import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { openCapture, openCaptures } from '../../src/capture/open.js';
import { CaptureRecord } from '../../src/capture/source.js';
import { NetlensError } from '../../src/core/errors.js';
import { concat, hex, readAll, readFile, scratch } from './octets.js';

const folder = scratch();
afterAll(() => folder[Symbol.dispose]());
let files = 0;

/** Writes octets to a file of its own and reads them. */
function read(octets: Uint8Array): ReturnType<typeof readFile> {
  return readFile(folder.file(`capture-${++files}`, octets));
}

const reversed = (octets: Uint8Array, ...widths: number[]): Uint8Array => {
  const out = octets.slice();
  let at = 0;
  for (const width of widths) {
    out.subarray(at, at + width).reverse();
    at += width;
  }
  return out;
};

describe('pcap', () => {
  const header = (magic: string, more = '00040000 00000001'): Uint8Array => hex(`${magic} 0002 0004 00000000 00000000 ${more}`);
  const record = hex('00000001 000f423f 00000004 00000040');
  const frame = hex('deadbeef');
  const first = { time: '1.999999000', wire: 64, octets: 'deadbeef', interface: undefined, linkType: 1, notes: undefined };

  it.each([
    ['microseconds', 'a1b2c3d4', '1.999999000'],
    ['nanoseconds', 'a1b23c4d', '1.000999999'],
  ])('of %s in both byte orders', async (_, magic, time) => {
    const big = concat(header(magic), record, frame);
    const little = concat(reversed(header(magic), 4, 2, 2, 4, 4, 4, 4), reversed(record, 4, 4, 4, 4), frame);
    for (const octets of [big, little]) {
      const { seen, problems, reader } = await read(octets);
      expect(seen).toEqual([{ ...first, time }]);
      expect([reader.format, problems, reader.interfaces[0]!.snapLength]).toEqual(['pcap', [], 262_144]);
    }
  });

  it('with an FCS, told by the upper bits of the link type', async () => {
    const { reader } = await read(concat(header('a1b2c3d4', '00040000 24000001'), record, frame));
    expect(reader.interfaces[0]).toMatchObject({ linkType: 1, fcsLength: 4 });
  });

  it('of Kuznetzov, with its own magic and with the ordinary one', async () => {
    const patched = concat(record, hex('00000002 0800 00 00'), frame);
    expect((await read(concat(header('a1b2cd34'), patched))).seen).toEqual([first]);
    expect((await read(concat(header('a1b2c3d4'), patched, patched, patched, patched))).seen).toEqual([first, first, first, first]);
  });

  it('of old libpcaps, which swapped the lengths', async () => {
    const swapped = hex('00000001 000f423f 00000040 00000004');
    const version = (minor: string): Uint8Array => hex(`a1b2c3d4 0002 ${minor} 00000000 00000000 00040000 00000001`);
    expect((await read(concat(version('0002'), swapped, frame))).seen).toEqual([first]);
    expect((await read(concat(version('0003'), swapped, frame))).seen).toEqual([first]);
    expect((await read(concat(version('0003'), record, frame))).seen).toEqual([first]);
  });

  it('with a snapshot length that lies', async () => {
    const long = concat(hex('00000001 00000000 00002710 00002710'), new Uint8Array(10_000));
    const { seen, problems } = await read(concat(header('a1b2c3d4', '00000001 00000001'), long, record, frame));
    expect([seen.map((one) => one.octets.length / 2), problems]).toEqual([[10_000, 4], []]);
  });

  it('with a length that cannot be true: what stands before it comes out', async () => {
    const { seen, reader } = await read(
      concat(header('a1b2c3d4'), record, frame, hex('00000001 00000000 7fffffff 7fffffff'), new Uint8Array(100)),
    );
    expect(seen).toEqual([first]);
    expect(reader.problems).toMatchObject([
      { code: 'damaged', offset: 44, message: expect.stringContaining('record 2 at octet 44 claims 2147483647 octets') },
    ]);
  });

  it('with a second of two million microseconds', async () => {
    const { seen } = await read(concat(header('a1b2c3d4'), hex('00000001 001e8480 00000000 00000000')));
    expect(seen[0]!.time).toBe('3.000000000');
  });

  it('cut at every octet', async () => {
    const whole = concat(header('a1b2c3d4'), record, frame, record, frame);
    for (let length = 24; length < whole.length; length++) {
      const { seen, reader } = await read(whole.subarray(0, length));
      expect(seen.length).toBe(Math.floor((length - 24) / 20));
      const start = 24 + seen.length * 20;
      expect(reader.problems.map((one) => [one.code, one.offset])).toEqual(length === start ? [] : [['cut-short', start]]);
    }
    for (let length = 4; length < 24; length++)
      await expect(read(whole.subarray(0, length))).rejects.toMatchObject({ code: 'unknown-format', at: length });
  });
});

/** A pcapng block, big-endian. */
function block(type: string, body: string): Uint8Array {
  const octets = hex(body);
  const padded = concat(octets, new Uint8Array(-octets.length & 3));
  const total = (padded.length + 12).toString(16).padStart(8, '0');
  return concat(hex(type + total), padded, hex(total));
}

const text = (value: string): string => Buffer.from(value).toString('hex');
/** An option, padded. */
const option = (code: number, value: string): string => {
  const length = value.replace(/\s/g, '').length / 2;
  return `${code.toString(16).padStart(4, '0')}${length.toString(16).padStart(4, '0')}${value}${'00'.repeat(-length & 3)}`;
};
const SECTION = block('0a0d0d0a', '1a2b3c4d 0001 0000 ffffffffffffffff');
const ETHERNET = block('00000001', '0001 0000 00040000');
const packet = (time: string, more = '', number = '00000000'): Uint8Array =>
  block('00000006', `${number} ${time} 00000003 00000040 abcdef00 ${more}`);

describe('pcapng', () => {
  it('with what a packet may say about itself', async () => {
    const more =
      option(1, text('one')) +
      option(1, text('zwei \u00fc')) +
      option(2, '00000001') +
      option(4, '0000000000000007') +
      option(5, 'ffffffffffffffff') +
      option(6, '00000003') +
      option(0, '');
    const { seen, problems, reader } = await read(concat(SECTION, ETHERNET, packet('0005a2b3 00000000', more)));
    expect([reader.format, problems]).toEqual(['pcapng', []]);
    expect(seen).toEqual([
      {
        time: `${(0x5a2b3n << 32n) / 1_000_000n}.${String(((0x5a2b3n << 32n) % 1_000_000n) * 1000n).padStart(9, '0')}`,
        wire: 64,
        octets: 'abcdef',
        interface: 0,
        linkType: 1,
        notes: { comments: ['one', 'zwei ü'], flags: 1, dropCount: 7n, packetId: 2n ** 64n - 1n, queue: 3 },
      },
    ]);
  });

  it.each([
    ['microseconds by default', '', 0x0006_5000_1234_5678n, 10n ** 6n],
    ['nanoseconds', option(9, '09'), 0x1789_abcd_ef01_2345n, 10n ** 9n],
    ['milliseconds', option(9, '03'), 0x0000_0191_2345_6789n, 1000n],
    ['whole seconds', option(9, '00'), 0x5555_5555n, 1n],
    ['picoseconds', option(9, '0c'), 0x0fff_ffff_ffff_ffffn, 10n ** 12n],
    ['halves of halves', option(9, 'a0'), 0x5678_9abc_8000_0001n, 2n ** 32n],
    ['2^-10', option(9, '8a'), 0x0000_0155_0000_03ffn, 1024n],
  ])('counting time in %s', async (_, options, units, perSecond) => {
    const time = units.toString(16).padStart(16, '0');
    const { seen } = await read(concat(SECTION, block('00000001', `0001 0000 00000000 ${options}`), packet(time)));
    expect(seen[0]!.time).toBe(`${units / perSecond}.${String(((units % perSecond) * 10n ** 9n) / perSecond).padStart(9, '0')}`);
  });

  it('counting time from elsewhere', async () => {
    const earlier = option(14, 'ffffffffffffffff');
    expect(
      (await read(concat(SECTION, block('00000001', `0001 0000 00000000 ${earlier}`), packet('00000000 001e8481')))).seen[0]!.time,
    ).toBe('1.000001000');
  });

  it('with simple and obsolete packet blocks', async () => {
    const short = block('00000001', '0001 0000 00000002');
    const simple = block('00000003', '00000040 abcd0000');
    const obsolete = block('00000002', `0000 0005 00000000 000f4241 00000003 00000040 abcdef00 ${option(2, '00000002')}`);
    const { seen, problems } = await read(concat(SECTION, short, simple, obsolete));
    const common = { wire: 64, interface: 0, linkType: 1 };
    expect(seen).toEqual([
      { ...common, time: undefined, octets: 'abcd', notes: { timeless: true } },
      { ...common, time: '1.000001000', octets: 'abcdef', notes: { flags: 2, dropCount: 5n } },
    ]);
    expect(problems).toEqual([]);
  });

  it('with names, statistics, secrets and blocks that nobody knows', async () => {
    const names = block(
      '00000004',
      `0001 000d c0000201 ${text('a.test')}00 ${text('b')}00 000000 0002 0015 20010db8000000000000000000000001 ${text('c.de')}00 000000 0000 0000`,
    );
    const statistics = block('00000005', `00000000 00000000 00000000 ${option(4, '0000000000000010')} ${option(7, '0000000000000002')}`);
    const secrets = block('0000000a', `544c534b 00000005 ${text('KEYS!')}`);
    const unknown = block('0bad0bad', 'ffff');
    const named = block('00000001', `0001 0000 00000000 ${option(2, `${text('eth0')}00`)}${option(3, text('Wire'))}${option(13, '04')}`);
    const { seen, reader } = await read(concat(SECTION, named, names, unknown, secrets, packet('00000000 00000001'), statistics));
    expect(seen.map((one) => one.interface)).toEqual(['eth0']);
    expect(reader.interfaces).toMatchObject([{ name: 'eth0', description: 'Wire', fcsLength: 4, section: 1 }]);
    expect(reader.names).toEqual([
      { address: '192.0.2.1', names: ['a.test', 'b'] },
      { address: '2001:0db8:0000:0000:0000:0000:0000:0001', names: ['c.de'] },
    ]);
    expect(reader.statistics).toEqual([{ interface: reader.interfaces[0], received: 16n, droppedBySystem: 2n }]);
    expect(reader.secrets).toEqual([{ type: 0x544c534b, data: hex(text('KEYS!')) }]);
  });

  it('of several sections, each with its own order and interfaces', async () => {
    const little = concat(
      hex('0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000'),
      hex('01000000 14000000 6500 0000 00000000 14000000'),
      hex('06000000 24000000 00000000 00000000 05000000 01000000 01000000 77000000 24000000'),
    );
    const { seen, problems, reader } = await read(concat(SECTION, ETHERNET, packet('00000000 00000001'), little));
    expect(seen.map((one) => [one.time, one.octets, one.linkType])).toEqual([
      ['0.000001000', 'abcdef', 1],
      ['0.000005000', '77', 101],
    ]);
    expect([problems, reader.interfaces.map((one) => [one.section, one.id])]).toEqual([
      [],
      [
        [1, 0],
        [2, 0],
      ],
    ]);
  });

  it('with a custom block, which is a record but no packet', async () => {
    const { seen } = await read(concat(SECTION, ETHERNET, block('00000bad', `00007ed9 ${text('hello...')}`), packet('00000000 00000001')));
    expect(seen.map((one) => [one.linkType, one.octets, one.time])).toEqual([
      [-1, text('hello...'), undefined],
      [1, 'abcdef', '0.000001000'],
    ]);
  });

  it.each([
    ['a packet of an interface that is not there', packet('00000000 00000001', '', '00000005'), 'names interface 5; the section has 1'],
    [
      'a packet longer than its block',
      block('00000006', '00000000 00000000 00000000 00000100 00000100 abcd'),
      'claims a packet of 256 octets, more than the block holds',
    ],
    ['a block that is too short', hex('00000006 00000008 00000008 00000000'), 'claims 8 octets'],
    ['a block that is too long', hex('00000006 f0000000 00000000 00000000'), 'claims 4026531840 octets'],
    ['two lengths that differ', hex('00000009 00000010 00000000 00000014'), 'says 16 octets at its head and 20 at its end'],
    ['a section of another version', block('0a0d0d0a', '1a2b3c4d 0002 0000 ffffffffffffffff'), 'has pcapng version 2.0'],
    ['a section without byte order', block('0a0d0d0a', '11223344 0001 0000 ffffffffffffffff'), 'has byte-order magic 11223344'],
  ])('with %s: what stands before it comes out', async (_, last, message) => {
    const start = concat(SECTION, ETHERNET, packet('00000000 00000001'));
    const { seen, reader } = await read(concat(start, last));
    expect(seen).toHaveLength(1);
    expect(reader.problems).toEqual([{ code: 'damaged', offset: start.length, message: expect.stringContaining(message) }]);
    expect(reader.problems[0]!.message).toContain(`at octet ${start.length}`);
  });

  it('cut at every octet', async () => {
    const one = packet('00000000 00000001', option(1, text('one')));
    const head = SECTION.length + ETHERNET.length;
    const whole = concat(SECTION, ETHERNET, one, one);
    for (let length = 28; length < whole.length; length++) {
      const { seen, reader } = await read(whole.subarray(0, length));
      expect(seen.length).toBe(Math.max(0, Math.floor((length - head) / one.length)));
      const isBetween = length === SECTION.length || (length >= head && (length - head) % one.length === 0);
      expect(reader.problems.map((problem) => problem.code)).toEqual(isBetween ? [] : ['cut-short']);
    }
  });
});

describe('snoop', () => {
  const header = hex('736e6f6f70000000 00000002 00000004');
  const record = hex('00000040 00000005 00000020 00000000 00000001 0000000a 0102030405 000000');

  it('with padding between records', async () => {
    const { seen, problems, reader } = await read(concat(header, record, record));
    expect(seen).toHaveLength(2);
    expect(seen[1]).toMatchObject({ time: '1.000010000', wire: 64, octets: '0102030405', linkType: 1 });
    expect([reader.format, problems]).toEqual(['snoop', []]);
  });

  it('cut, and with a length that lies', async () => {
    expect((await read(concat(header, record, record.subarray(0, 20)))).problems).toEqual(['cut-short']);
    const lie = concat(hex('00000040 00000005 0000001c'), record.subarray(12));
    expect((await read(concat(header, record, lie))).problems).toEqual(['damaged']);
    await expect(read(hex('736e6f6f70000000 00000003 00000004'))).rejects.toThrow('snoop version 3 at octet 8');
  });
});

const RECORDS = 2300;
/** A pcap of many records, larger than any buffer. */
const large = ((): Uint8Array => {
  const parts = [hex('a1b2c3d4 0002 0004 00000000 00000000 00040000 00000001')];
  for (let index = 0; index < RECORDS; index++) {
    const frame = new Uint8Array(2000).map((_, octet) => (octet * index) >> 3);
    parts.push(hex(`${index.toString(16).padStart(8, '0')} 00000000 000007d0 000007d0`), frame);
  }
  return concat(...parts);
})();

describe('compressed', () => {
  const tool = (command: string, ...args: string[]): Uint8Array | undefined => {
    const { error, stdout } = spawnSync(command, args, { input: large, maxBuffer: 2 ** 30 });
    return error ? undefined : Uint8Array.from(stdout);
  };
  const kinds: [string, () => Uint8Array | undefined][] = [
    ['gzip', () => gzipSync(large, { level: 1 })],
    ['zstd', () => tool('zstd', '-q', '-c', '-3')],
    ['zstd --long', () => tool('zstd', '-q', '-c', '--long=27', '-1')],
    ['lz4', () => tool('lz4', '-q', '-c', '-z')],
    ['lz4 -BD -B4', () => tool('lz4', '-q', '-c', '-z', '-BD', '-B4', '-BX')],
    ['lz4 -9', () => tool('lz4', '-q', '-c', '-z', '-9')],
    ['lz4 -l', () => tool('lz4', '-q', '-c', '-z', '-l')],
  ];
  const made = kinds
    .map(([name, make]) => [name, make()] as const)
    .filter((one): one is readonly [string, Uint8Array] => one[1] !== undefined);
  // fzstd moves the whole window for every block, so that a large one is slow.
  const quick = made.filter(([name]) => name !== 'zstd --long');
  const plain = read(large).then(({ seen }) => seen);

  it.each(made)('with %s', async (_, octets) => {
    const { seen, problems } = await read(octets);
    expect([seen.length, problems]).toEqual([RECORDS, []]);
    expect(seen).toEqual(await plain);
  });

  it.each(quick)('with %s, twice: several members are one', async (name, octets) => {
    if (name === 'lz4 -l') return; // the legacy frame ends with the file
    const half = large.subarray(24);
    const rest =
      name === 'gzip' ? gzipSync(half) : spawnSync(name.split(' ')[0]!, ['-q', '-c', '-1'], { input: half, maxBuffer: 2 ** 30 }).stdout;
    const { seen, problems } = await read(concat(octets, Uint8Array.from(rest)));
    expect([seen.length, problems]).toEqual([2 * RECORDS, []]);
  });

  it.each(quick)('with %s, cut', async (_, octets) => {
    const { seen, problems } = await read(octets.subarray(0, Math.floor(octets.length * 0.6)));
    expect(problems).toEqual(['cut-short']);
    expect(seen.length).toBeGreaterThan(0);
    expect(seen).toEqual((await plain).slice(0, seen.length));
  });

  it.each(quick)('with %s, damaged: an end, no exception', async (_, octets) => {
    for (const at of [0.3, 0.5, 0.9]) {
      const damaged = octets.slice();
      const from = Math.floor(octets.length * at);
      damaged.fill(0xff, from, from + 64);
      const seen = await read(damaged).then(
        (result) => result.seen.length,
        (error: unknown) => {
          expect(error).toMatchObject({ code: 'unreadable' }); // the damage was in the first block
          return 0;
        },
      );
      expect(seen).toBeLessThanOrEqual(RECORDS);
    }
  });

  it('with a zstd window that nobody should allocate', async () => {
    await expect(read(hex('28b52ffd 00 ff 010000 0000000000'))).rejects.toThrow(/needs a window of \d+ octets/);
  });

  it('says what is inside when it is no capture', async () => {
    await expect(read(gzipSync('hello world'))).rejects.toThrow(
      'pcap, pcapng or snoop expected at octet 0, found 68 65 6c 6c ("hell") inside gzip',
    );
    await expect(read(concat(hex('1f8b0800 00000000 0003'), deflateRawSync(large).subarray(0, 3)))).rejects.toThrow(
      'the gzip data ends early',
    );
  });
});

describe('random octets', () => {
  const pcap = concat(large.subarray(0, 24 + 4 * 2016));
  const pcapng = concat(
    SECTION,
    ETHERNET,
    packet('00000000 00000001', option(1, text('one'))),
    packet('00000000 00000002'),
    SECTION,
    ETHERNET,
    packet('00000000 00000003'),
  );
  const snoop = concat(
    hex('736e6f6f70000000 00000002 00000004'),
    ...Array.from({ length: 4 }, () => hex('00000040 00000004 0000001c 00000000 00000001 0000000a 01020304')),
  );
  const compress = (command: string): Uint8Array => Uint8Array.from(spawnSync(command, ['-q', '-c', '-1'], { input: pcap }).stdout ?? []);
  const kinds: [string, Uint8Array][] = [
    ['pcap', pcap],
    ['pcapng', pcapng],
    ['snoop', snoop],
    ['gzip', gzipSync(pcap)],
    ['zstd', compress('zstd')],
    ['lz4', compress('lz4')],
  ];

  it.each(kinds.filter(([, octets]) => octets.length > 0))(
    'in %s end in an error for the user or in records within their chunk',
    async (name, octets) => {
      const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
      let state = seed;
      const random = (below: number): number => {
        state = (Math.imul(state, 1103515245) + 12345) >>> 0;
        return Math.floor((state / 2 ** 32) * below);
      };
      for (let round = 0; round < 300; round++) {
        const changed = octets.slice(0, random(20) === 0 ? random(octets.length) : octets.length);
        for (let change = random(4); change >= 0; change--) changed[random(Math.min(changed.length, 2000))] = random(256);
        const context = `SEED=${seed}, ${name}, round ${round}`;
        try {
          const { seen } = await readFile(folder.file('changed', changed));
          expect(
            seen.every((one) => Number.isInteger(one.wire)),
            context,
          ).toBe(true);
        } catch (error) {
          expect(error, context).toBeInstanceOf(NetlensError);
        }
      }
    },
  );
});

describe('openCapture', () => {
  it('says what it found instead of a capture', async () => {
    const notes = folder.file('no\x1b[31mtes.txt', hex(text('Hello, world')));
    await expect(openCapture(notes)).rejects.toMatchObject({
      code: 'unknown-format',
      at: 0,
      message: `${folder.path('no\\x1b[31mtes.txt')}: not a capture: pcap, pcapng or snoop expected at octet 0, found 48 65 6c 6c ("Hell")`,
    });
    await expect(read(hex('00ff1b0a00'))).rejects.toThrow('found 00 ff 1b 0a');
    await expect(read(new Uint8Array(0))).rejects.toThrow('is empty');
    await expect(openCapture(folder.path('.'))).rejects.toThrow('is a directory');
    await expect(openCapture('/nonexistent.pcap')).rejects.toMatchObject({
      code: 'unreadable',
      message: '/nonexistent.pcap: no such file',
    });
    await expect(read(hex('a12b3c4d 0002 0004 00000000 00000000 00040000 00000001'))).rejects.toThrow('is the pcap variant of Navtel');
  });

  it('reads files one after another', async () => {
    const one = folder.file(
      'one',
      concat(hex('a1b2c3d4 0002 0004 00000000 00000000 00040000 00000001 00000001 00000000 00000001 00000001 aa'), hex('0000')),
    );
    const two = folder.file('two', concat(SECTION, ETHERNET, packet('00000000 00000001')));
    const reader = await openCaptures([one, two, one]);
    expect((await readAll(reader)).map((record) => record.octets)).toEqual(['aa', 'abcdef', 'aa']);
    expect(reader.problems.map((problem) => [problem.code, problem.message.startsWith(`${one}:`)])).toEqual([
      ['cut-short', true],
      ['cut-short', true],
    ]);
    expect(reader.interfaces).toHaveLength(3);
    await reader.close();
    // In octets of somebody else's: those in the middle of many, so that what stands around them is seen to stay.
    const around = new Uint8Array(400).fill(0x55);
    const octets = around.subarray(100, 300);
    const elsewhere = await openCaptures([one, two, one]);
    elsewhere.holdIn!(octets);
    const record = new CaptureRecord();
    const found: string[] = [];
    do
      while (elsewhere.next(record)) {
        expect(record.bytes).toBe(octets);
        found.push(Buffer.from(octets.subarray(record.start, record.captured)).toString('hex'));
      }
    while (await elsewhere.fill());
    expect(found).toEqual(['aa', 'abcdef', 'aa']);
    expect([...around.subarray(0, 100), ...around.subarray(300)].every((octet) => octet === 0x55)).toBe(true);
    await elsewhere.close();
  });

  it('reads from a pipe as it comes', async () => {
    const pipe = folder.path('pipe');
    if (spawnSync('mkfifo', [pipe]).status !== 0) return;
    const file = folder.file('large', large);
    const script = `const fs = require('fs'); const o = fs.openSync(${JSON.stringify(pipe)}, 'w'); const b = fs.readFileSync(${JSON.stringify(file)}); for (let i = 0; i < b.length; i += 77777) fs.writeSync(o, b, i, Math.min(77777, b.length - i));`;
    const { spawn } = await import('node:child_process');
    const writer = spawn(process.execPath, ['-e', script]);
    const { seen, problems } = await readFile(pipe);
    expect([seen.length, problems, seen.at(-1)!.octets]).toEqual([
      RECORDS,
      [],
      Buffer.from(readFileSync(file).subarray(-2000)).toString('hex'),
    ]);
    expect(writer.exitCode ?? 0).toBe(0);
  });
});
