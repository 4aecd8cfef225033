/** Reading with two threads: what they show together is what one shows alone. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Share } from '../../src/analysis/share.js';
import { openCapture } from '../../src/capture/open.js';
import { type Block, Merge } from '../../src/cli/blocks.js';
import { showHalves } from '../../src/cli/halves.js';
import type { ViewOptions } from '../../src/cli/options.js';
import { showFrames, viewFor } from '../../src/cli/view.js';
import { TextBuffer } from '../../src/core/text.js';
import { createSession } from '../../src/frames.js';
import { written } from '../written.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = join(root, 'dist/netlens.js');
const captures = readdirSync(join(root, 'fixtures'))
  .filter((name) => /\.pcap(ng)?$/.test(name))
  .map((name) => join(root, 'fixtures', name));

function read(threads: string, options: readonly string[]): { status: number | null; out: string; said: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'read', '--threads', threads, ...options, ...captures], {
    env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8' },
    maxBuffer: 2 ** 30,
    encoding: 'utf8',
  });
  return { status, out: stdout, said: stderr };
}

describe('two threads show together what one shows alone', () => {
  it.each([
    ['lines', []],
    ['lines in colours with times between them', ['--color', 'always', '-t', 'dd']],
    ['trees', ['-V']],
    ['JSON', ['--json']],
    ['fields', ['-E', 'header=y', '-e', 'frame.number', '-e', 'tcp.stream', '-e', 'udp.stream', '-e', 'frame.time_delta_displayed']],
  ])('%s of all fixtures', (_, options) => {
    const alone = read('1', options);
    expect(alone.out.length).toBeGreaterThan(50_000);
    const together = read('2', options);
    expect(together.said).toBe(alone.said);
    expect(together.status).toBe(alone.status);
    // Not toBe: a difference of two such texts takes minutes to print.
    const [a, b] = [alone.out.split('\n'), together.out.split('\n')];
    const first = a.findIndex((line, i) => line !== b[i]);
    expect([first, first < 0 ? '' : b[first], b.length]).toEqual([-1, '', a.length]);
  });

  it('ends quietly when the reader of its output goes away', () => {
    const { stdout, stderr } = spawnSync(
      'bash',
      ['-c', `'${process.execPath}' '${program}' read --threads 2 ${captures.join(' ')} | head -3`],
      {
        // Without a home bash takes the user's own, with whatever it says at its start.
        env: { PATH: process.env.PATH, HOME: root, LC_ALL: 'C.UTF-8' },
        encoding: 'utf8',
      },
    );
    expect(stdout.split('\n').length).toBe(4);
    expect(stderr).toBe('');
  });
});

describe('a second thread that dies', () => {
  it('leaves the rest to the first, which says nothing twice', async () => {
    const path = join(root, 'fixtures/redis.pcap');
    const options: ViewOptions = { time: 'r', color: 'never', threads: '2' };
    // From the sources there is no bundle for a second thread to run, so that it ends before it has begun.
    const text = await written(async (sink) => {
      const view = viewFor(options, false);
      const share = new Share(0);
      const tally = { seen: 0, selected: 0 };
      const reader = await openCapture(path);
      const shown = await showHalves(reader, createSession({ share }), share, { files: [path], options }, view, sink, tally);
      expect(shown).toBe(0);
      await reader.close();
      await showFrames(await openCapture(path), createSession(), view, sink, {}, false, tally, shown);
    });
    const alone = spawnSync(process.execPath, [program, 'read', path], {
      env: { PATH: process.env.PATH, LC_ALL: process.env.LC_ALL, LANG: process.env.LANG },
      encoding: 'utf8',
    });
    expect(text).toBe(alone.stdout);
  });
});

/** Frames of which each belongs to one of two threads, cut into blocks anywhere and handed over in any order that time allows. */
const splits = fc
  .array(fc.record({ half: fc.constantFrom(0, 1), text: fc.string({ maxLength: 5 }), cut: fc.boolean() }), { maxLength: 60 })
  .chain((frames) =>
    fc.record({ frames: fc.constant(frames), order: fc.infiniteStream(fc.boolean()), most: fc.integer({ min: 1, max: 40 }) }),
  );

describe('blocks of two threads', () => {
  it('are written in the order of their frames', () => {
    fc.assert(
      fc.property(splits, ({ frames, order, most }) => {
        const out = new TextBuffer();
        let back = 0;
        let text = '';
        const merge = new Merge(undefined, () => back++);
        const waiting = [0, 1].map((half) => handedOver(frames, half));
        const blocks = waiting.flat().filter(({ block }) => block !== undefined).length;
        for (;;) {
          const half = order.next().value ? 0 : 1;
          const next = waiting[half]!.shift() ?? waiting[1 - half]!.shift();
          if (next === undefined) break;
          merge.offer(next.half, next.block, next.through);
          for (let more = true; more; ) {
            more = merge.write(out, most);
            text += out.toString();
            out.clear();
          }
        }
        expect(text).toBe(frames.map((frame) => frame.text).join(''));
        expect(back).toBe(blocks);
      }),
    );
  });
});

interface Handed {
  readonly half: 0 | 1;
  readonly block: Block | undefined;
  readonly through: number;
}

function handedOver(frames: readonly { half: number; text: string; cut: boolean }[], half: number): Handed[] {
  const handed: Handed[] = [];
  let text = '';
  let marks: number[] = [];
  const cut = (through: number): void => {
    const block = { text: new TextEncoder().encode(text), marks: Int32Array.from(marks), frames: marks.length / 2 };
    handed.push({ half: half as 0 | 1, block: marks.length === 0 ? undefined : block, through });
    text = '';
    marks = [];
  };
  frames.forEach((frame, i) => {
    if (frame.half === half) {
      text += frame.text;
      marks.push(i + 1, new TextEncoder().encode(text).length);
    }
    if (frame.cut) cut(i + 1);
  });
  cut(Number.POSITIVE_INFINITY);
  return handed;
}
