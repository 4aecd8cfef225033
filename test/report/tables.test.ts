import { describe, expect, it } from 'vitest';
import { Theme } from '../../src/output/theme.js';
import { type Group, Groups } from '../../src/report/groups.js';
import { Latencies } from '../../src/report/latency.js';
import { type Cell, RollingTable } from '../../src/report/rolling-table.js';
import { TimeOrder } from '../../src/report/time-order.js';

const lines = (rows: readonly (readonly Cell[])[], options: ConstructorParameters<typeof RollingTable>[1] = {}) => {
  const written: string[] = [];
  const table = new RollingTable((line) => written.push(line), options);
  for (const row of rows) table.row(row);
  table.release();
  return written;
};

describe('a rolling table', () => {
  it('makes room for what matters on a narrow terminal', () => {
    const rows = [
      ['name.example.test', 'TLSv1.3', 'refused by an alert', '12 ms', 'a remark'],
      ['b.test', 'TLSv1.2', 'ok', '1 ms', ''],
    ];
    const gives = [
      { column: 1, least: 0 },
      { column: 0, least: 8 },
      { column: 2, least: 9 },
    ];
    const right = new Set([3]);
    // Wide enough for all, for all but the version, for names cut short, for neither.
    expect(lines(rows, { right, gives, width: 100 })[0]).toBe('name.example.test  TLSv1.3  refused by an alert  12 ms  a remark');
    expect(lines(rows, { right, gives, width: 50 })[0]).toBe('name.example.test  refused by an alert  12 ms  a …');
    expect(lines(rows, { right, gives, width: 40 })[0]).toBe('name.exampl…  refused by an alert  12 ms');
    expect(lines(rows, { right, gives, width: 30 })).toEqual(['name.ex…  refused by a…  12 ms', 'b.test    ok              1 ms']);
    // Where the last column says most, it is left something.
    expect(lines(rows, { right, gives, width: 60, rest: 8 })[0]).toBe('name.example.test  refused by an alert  12 ms  a remark');
  });

  it('takes its widths from the first rows, and lets them grow', () => {
    expect(
      lines(
        [
          ['a', 'b', 'c'],
          ['long', '1', 'd'],
        ],
        { right: new Set([1]) },
      ),
    ).toEqual(['a     b  c', 'long  1  d']);
    expect(
      lines(
        [
          ['a', 'c'],
          ['long', 'd'],
          ['b', 'e'],
        ],
        { live: true },
      ),
    ).toEqual(['a  c', 'long  d', 'b     e']);
  });

  it('cuts at the width of the terminal, and counts columns, not characters', () => {
    expect(lines([['小佛', 'rest of it']], { width: 10 })).toEqual(['小佛  res…']);
    expect(lines([['ab', 'cd']], { width: 3 })).toEqual(['ab']);
  });

  it('paints texts, not the blanks around them', () => {
    expect(
      lines(
        [
          [{ text: 'a', tone: 'trouble' }, 'b'],
          ['ccc', 'd'],
        ],
        { theme: new Theme(1) },
      )[0],
    ).toBe('\u001b[33ma\u001b[39m    b');
  });
});

describe('latencies', () => {
  it('knows percentiles to 1 %', () => {
    const latencies = new Latencies();
    expect(latencies.percentile(0.5)).toBeUndefined();
    for (let i = 1; i <= 10_000; i++) latencies.add(i * 1000);
    for (const share of [0.01, 0.5, 0.95, 0.99]) expect(latencies.percentile(share)! / (share * 1e7)).toBeCloseTo(1, 1.7);
    expect(latencies.percentile(1)).toBe(1e7);
    const few = new Latencies();
    few.add(0);
    few.add(123_456);
    expect([few.percentile(0.5), few.percentile(0.95), few.max]).toEqual([0, 123_456, 123_456]);
  });

  it('are exact while they are few, and can be put together', () => {
    const few = new Latencies();
    for (let i = 16; i >= 1; i--) few.add(i * 1_000_003);
    expect([few.percentile(0.5), few.percentile(0.9)]).toEqual([8 * 1_000_003, 15 * 1_000_003]);
    const many = new Latencies();
    for (let i = 0; i < 1000; i++) many.add(i < 500 ? 1e5 : 5e9);
    many.merge(few);
    expect(many).toMatchObject({ count: 1016, max: 5e9 });
    expect(many.percentile(0.25)! / 1e5).toBeCloseTo(1, 1.7);
    expect(many.percentile(0.5)! / (8 * 1_000_003)).toBeCloseTo(1, 1.7);
    few.merge(many);
    expect(few.count).toBe(1032);
    expect(few.percentile(0.3)! / 1e5).toBeCloseTo(1, 1.7);
  });
});

describe('groups', () => {
  it('fold those that hold least into one, and keep the sums', () => {
    interface Counted extends Group {
      readonly name: string;
      errors: number;
    }
    const make = (name: string) => (): Counted => ({ name, count: 0, errors: 0, latencies: new Latencies() });
    const groups = new Groups<Counted>((into, from) => void (into.errors += from.errors), make('(others)'), 4);
    for (const name of ['a', 'a', 'a', 'b', 'c', 'd', 'd', 'e', 'a']) {
      const group = groups.of(name, make(name));
      group.count++;
      group.errors++;
      group.latencies.add(group.count);
    }
    expect(groups.sorted(false, ({ name }) => name).map(({ name, count, errors }) => [name, count, errors])).toEqual([
      ['a', 4, 4],
      ['d', 2, 2],
      ['e', 1, 1],
      ['(others)', 2, 2],
    ]);
    expect(groups.folded).toBe(2);
    expect(groups.sorted(true, ({ name }) => name)[0]!.name).toBe('a');
  });
});

describe('time order', () => {
  it('holds things back while something earlier is open', () => {
    const seen: number[] = [];
    const order = new TimeOrder<number>((n) => seen.push(n));
    order.add(3, 3, 0);
    order.add(1, 1, 500);
    order.add(2, 1, 700);
    order.settled(1, 400);
    expect(seen).toEqual([]);
    order.settled(2, 0);
    expect(seen).toEqual([1, 2]);
    order.settled();
    expect(seen).toEqual([1, 2, 3]);
  });

  it('holds a bounded number of things', () => {
    const seen: number[] = [];
    const order = new TimeOrder<number>((n) => seen.push(n));
    for (let i = 0; i < 70_000; i++) order.add(i, i, 0);
    expect(seen.length).toBe(70_000 - 4096);
    order.settled();
    expect(seen).toEqual(Array.from({ length: 70_000 }, (_, i) => i));
  });
});
