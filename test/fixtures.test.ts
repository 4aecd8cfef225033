import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Golden, printed } from './golden.js';

const folder = new URL('../fixtures/', import.meta.url);
const captures = readdirSync(folder).filter((name) => /\.pcap(ng)?$/.test(name));

describe.each(captures)('%s', (capture) => {
  it('is printed as the golden files say (npm run golden writes them)', async () => {
    const shown = await printed(new URL(capture, folder).pathname);
    const stem = capture.replace(/\.pcap(ng)?$/, '');
    for (const form of ['txt', 'tree', 'json', 'ladder', 'tables'] as const satisfies (keyof Golden)[]) {
      const golden = new URL(`golden/${stem}.${form}`, folder);
      expect(shown[form]).toBe(existsSync(golden) ? readFileSync(golden, 'utf8') : '');
    }
  });
});
