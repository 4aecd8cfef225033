import { describe, expect, it } from 'vitest';
import { Chunks } from '../../src/capture/chunks.js';
import type { OctetSource } from '../../src/capture/octets.js';

/** A source of `total` octets that follow from where they stand; each read brings at most `step`. */
function sourceOf(total: number, step: number, fails?: number): OctetSource & { closed: boolean } {
  let at = 0;
  return {
    closed: false,
    problem: undefined,
    async read(into, offset, length) {
      await new Promise(setImmediate);
      if (fails !== undefined && at >= fails) throw new Error('gone');
      const count = Math.min(length, step, total - at);
      for (let i = 0; i < count; i++) into[offset + i] = octetAt(at + i);
      at += count;
      return count;
    },
    async close() {
      this.closed = true;
    },
  };
}

const octetAt = (i: number): number => (i * 31 + (i >> 8) * 7 + (i >> 16)) & 255;

describe('octets that are read ahead', () => {
  // Records of up to 900 000 octets: also ones larger than what is left room for between two chunks.
  it.each([1_000, 300_000, 900_000])('come in order, in records of up to %i octets', async (most) => {
    const total = 9_000_000;
    const chunks = new Chunks(sourceOf(total, 1_234_567), 65_536);
    await chunks.more(10);
    chunks.readAhead();
    let seen = 0;
    for (let record = 1; seen < total; record++) {
      const length = Math.min(total - seen, 1 + ((record * 7919) % most));
      expect(await chunks.more(length)).toBe(true);
      expect(chunks.offset).toBe(seen);
      for (let i = 0; i < length; i += 97) if (chunks.bytes[chunks.position + i] !== octetAt(seen + i)) expect.fail(`octet ${seen + i}`);
      expect(chunks.view.getUint8(chunks.position)).toBe(octetAt(seen));
      chunks.position += length;
      seen += length;
    }
    expect(await chunks.more(1)).toBe(false);
    await chunks.close();
  });

  it('are waited for before the source is closed', async () => {
    const source = sourceOf(9_000_000, 2_000_000);
    const chunks = new Chunks(source, 65_536);
    await chunks.more(10);
    chunks.readAhead();
    await chunks.close();
    expect(source.closed).toBe(true);
    expect(await chunks.more(1)).toBe(false);
  });

  it('fail where they are asked for, not before', async () => {
    const chunks = new Chunks(sourceOf(9_000_000, 1_000_000, 3_000_000), 65_536);
    await chunks.more(10);
    chunks.readAhead();
    await expect(async () => {
      while (await chunks.more(1)) chunks.position = chunks.end;
    }).rejects.toThrow('gone');
    await chunks.close();
  });
});
