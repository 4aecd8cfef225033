import { statSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openCapture } from '../../src/capture/open.js';
import { type CaptureInterface, CaptureRecord, type RecordNotes } from '../../src/capture/source.js';
import { type CaptureWriter, openWriter } from '../../src/capture/write.js';
import { concat, hex, readAll, readFile, scratch } from './octets.js';

function makeInterface(id: number, linkType: number, more: Partial<CaptureInterface> = {}): CaptureInterface {
  return { id, linkType, snapLength: 262_144, name: undefined, description: undefined, section: 1, fcsLength: undefined, ...more };
}

interface Made {
  octets: Uint8Array;
  beyond: number;
  seconds: number;
  nanoseconds: number;
  from: number;
  notes: RecordNotes | undefined;
}

function put(writer: CaptureWriter, made: Made, itself: CaptureInterface): void {
  const record = new CaptureRecord();
  // Not at the start of its chunk, as in life.
  record.bytes = new Uint8Array(made.octets.length + 3);
  record.bytes.set(made.octets, 2);
  record.start = 2;
  record.captured = 2 + made.octets.length;
  record.wireLength = made.octets.length + made.beyond;
  record.seconds = made.seconds;
  record.nanoseconds = made.nanoseconds;
  record.interface = itself;
  record.notes = made.notes;
  writer.write(record);
}

const words = fc.nat(0xffffffff);
const wide = fc.bigInt(0n, 2n ** 64n - 1n);
const notes: fc.Arbitrary<RecordNotes> = fc.record(
  {
    comments: fc.array(
      fc.string({ minLength: 1 }).filter((text) => !text.endsWith('\0')),
      { minLength: 1, maxLength: 3 },
    ),
    flags: words,
    dropCount: wide,
    packetId: wide,
    queue: words,
  },
  { requiredKeys: [] },
);
const made: fc.Arbitrary<Made> = fc.record({
  octets: fc.uint8Array({ maxLength: 300 }),
  beyond: fc.nat(2000),
  seconds: words,
  nanoseconds: fc.nat(999_999_999),
  from: fc.nat(2),
  notes: fc.option(
    notes.filter((note) => Object.keys(note).length > 0),
    { nil: undefined },
  ),
});

function expected(one: Made, itself: CaptureInterface, nanoseconds: number): object {
  return {
    time: `${one.seconds}.${String(nanoseconds).padStart(9, '0')}`,
    wire: one.octets.length + one.beyond,
    octets: Buffer.from(one.octets).toString('hex'),
    interface: itself.name ?? itself.id,
    linkType: itself.linkType,
    notes: one.notes,
  };
}

describe('what is written is read back', () => {
  const interfaces = [
    makeInterface(0, 1, { name: 'eth0', description: 'the first' }),
    makeInterface(1, 101),
    makeInterface(2, 276, { name: 'äny', fcsLength: 4 }),
  ];

  it('as pcapng, with interfaces and notes', async () => {
    using folder = scratch();
    await fc.assert(
      fc.asyncProperty(fc.array(made, { maxLength: 40 }), fc.boolean(), async (list, inPlace) => {
        const writer = await openWriter(folder.path('x.pcapng'), { application: 'netlens test', inPlace });
        for (const one of list) put(writer, one, interfaces[one.from]!);
        await writer.close();
        const { seen, problems, reader } = await readFile(folder.path('x.pcapng'));
        expect(problems).toEqual([]);
        // Numbers are given in order of appearance.
        const order = [...new Set(list.map((one) => one.from))];
        expect(seen).toEqual(list.map((one) => expected(one, { ...interfaces[one.from]!, id: order.indexOf(one.from) }, one.nanoseconds)));
        expect(reader.interfaces.map((one) => [one.name, one.description, one.fcsLength])).toEqual(
          order.map((index) => [interfaces[index]!.name, interfaces[index]!.description, interfaces[index]!.fcsLength]),
        );
      }),
      { numRuns: 60 },
    );
  });

  it.each(['nanoseconds', 'microseconds'] as const)('as pcap of %s', async (resolution) => {
    using folder = scratch();
    await fc.assert(
      fc.asyncProperty(fc.array(made, { maxLength: 40 }), fc.boolean(), async (list, inPlace) => {
        const writer = await openWriter(folder.path('x.pcap'), { resolution, inPlace });
        for (const one of list) put(writer, one, interfaces[0]!);
        await writer.close();
        const { seen, problems, reader } = await readFile(folder.path('x.pcap'));
        expect([problems, reader.format]).toEqual([[], 'pcap']);
        const kept = (value: number): number => (resolution === 'nanoseconds' ? value : value - (value % 1000));
        const anonymous = { ...interfaces[0]!, name: undefined, id: undefined };
        expect(seen).toEqual(
          list.map((one) => expected({ ...one, notes: undefined }, anonymous as CaptureInterface, kept(one.nanoseconds))),
        );
      }),
      { numRuns: 60 },
    );
  });

  it.each([false, true])('beyond what the buffer holds at a time; in place: %s', async (inPlace) => {
    using folder = scratch();
    const writer = await openWriter(folder.path('big.pcapng'), { inPlace });
    const octets = new Uint8Array(200_000).map((_, index) => index * 7);
    for (let index = 0; index < 50; index++)
      put(writer, { octets, beyond: 0, seconds: index, nanoseconds: 1, from: 0, notes: undefined }, interfaces[0]!);
    await writer.drain();
    await writer.close();
    const { seen, problems } = await readFile(folder.path('big.pcapng'));
    expect(problems).toEqual([]);
    expect(seen.map((one) => one.time)).toEqual(Array.from({ length: 50 }, (_, index) => `${index}.000000001`));
    expect(new Set(seen.map((one) => one.octets))).toEqual(new Set([Buffer.from(octets).toString('hex')]));
  });
});

describe('what came with the packets', () => {
  it('goes on with them: names and secrets, before the packets that follow them, and statistics', async () => {
    using folder = scratch();
    const little = (type: string, body: string): Uint8Array => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(hex(body).length + 12);
      return concat(hex(type), length, hex(body), length);
    };
    const packet = little('06000000', '00000000 00000000 01000000 01000000 01000000 aa000000');
    const path = folder.file(
      'in.pcapng',
      concat(
        little('0a0d0d0a', '4d3c2b1a 0100 0000 ffffffffffffffff'),
        little('01000000', '0100 0000 00000000'),
        packet,
        little('0a000000', '4b534c54 03000000 4b455900'),
        little('04000000', '0100 0600 c0000201 6100 0000 00000000'),
        packet,
        little('05000000', '00000000 00000000 00000000 0400 0800 0700000000000000 0700 0800 0100000000000000'),
      ),
    );
    const reader = await openCapture(path);
    const writer = await openWriter(folder.path('out.pcapng'));
    writer.keep(reader);
    const record = new CaptureRecord();
    do {
      while (reader.next(record)) writer.write(record);
      await writer.drain();
    } while (await reader.fill());
    await writer.close();
    await reader.close();

    const again = await openCapture(folder.path('out.pcapng'));
    const seen: number[] = [];
    do while (again.next(record)) seen.push(again.secrets.length, again.names.length);
    while (await again.fill());
    expect(seen).toEqual([0, 0, 1, 1]);
    expect(again.secrets).toEqual([{ type: 0x544c534b, data: hex('4b4559') }]);
    expect(again.names).toEqual([{ address: '192.0.2.1', names: ['a'] }]);
    expect(again.statistics).toMatchObject([{ received: 7n, dropped: undefined, droppedBySystem: 1n }]);
    expect(again.problems).toEqual([]);
    await again.close();
  });
});

describe('openWriter', () => {
  const one: Made = { octets: new Uint8Array(60), beyond: 0, seconds: 1, nanoseconds: 0, from: 0, notes: undefined };

  it('makes files that only their owner reads', async () => {
    using folder = scratch();
    await (await openWriter(folder.path('x.pcap'))).close();
    expect(statSync(folder.path('x.pcap')).mode & 0o777).toBe(0o600);
    expect((await readFile(folder.path('x.pcap'))).seen).toEqual([]);
  });

  it('refuses a second link type in a pcap', async () => {
    using folder = scratch();
    const writer = await openWriter(folder.path('x.pcap'));
    put(writer, one, makeInterface(0, 1));
    put(writer, one, makeInterface(1, 1));
    expect(() => put(writer, one, makeInterface(2, 276))).toThrow('a pcap holds one link type, and here are 1 and 276');
    await writer.close();
    expect((await readFile(folder.path('x.pcap'))).seen).toHaveLength(2);
  });

  it('never writes over what is being read', async () => {
    using folder = scratch();
    const path = folder.path('x.pcapng');
    const first = await openWriter(path);
    put(first, one, makeInterface(0, 1));
    await first.close();
    await expect(openWriter(path, { inputs: [path] })).rejects.toThrow('is being read');
    expect(await readAll(await openCapture(path))).toHaveLength(1);
  });

  it.each([false, true])('says why a file cannot be written; in place: %s', async (inPlace) => {
    await expect(openWriter('/nonexistent/x.pcap')).rejects.toThrow('/nonexistent/x.pcap: cannot be written: no such folder');
    const writer = await openWriter('/dev/full', { format: 'pcapng', inPlace });
    put(writer, one, makeInterface(0, 1));
    await expect(writer.close()).rejects.toThrow('no space left on the device');
  });
});
