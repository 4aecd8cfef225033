/** The examples of docs/filters.md are filters. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { compileBpf } from '../../src/capture/bpf.js';
import { loadLibpcap } from '../../src/capture/libpcap.js';
import { NetlensError } from '../../src/core/errors.js';
import { compileDisplayFilter } from '../../src/filter/index.js';

const page = readFileSync('docs/filters.md', 'utf8');

/** The lines of all blocks of a kind. */
function examples(kind: string): string[] {
  const blocks = [...page.matchAll(new RegExp(`^\`\`\`${kind}\\n(.*?)^\`\`\``, 'gms'))];
  return blocks.flatMap(([, text]) => text!.trimEnd().split('\n'));
}

const refusal = (make: () => unknown): string | undefined => {
  try {
    make();
    return undefined;
  } catch (error) {
    if (error instanceof NetlensError) return error.message;
    throw error;
  }
};

it('has display filters that are accepted', () => {
  const found = examples('display-filter');
  expect(found.length).toBeGreaterThan(50);
  expect(found.flatMap((filter) => refusal(() => compileDisplayFilter(filter)) ?? [])).toEqual([]);
});

it('has wrong display filters that are refused, and shows the message that they give', () => {
  const wrong = examples('wrong-display-filter');
  expect(wrong.length).toBeGreaterThan(3);
  for (const filter of wrong) expect(refusal(() => compileDisplayFilter(filter))).toContain('column');
  const [first] = refusal(() => compileDisplayFilter(wrong[0]!))!.split('\n');
  expect(page).toContain(`    netlens: ${first}`);
});

const libpcap = await loadLibpcap().catch((): undefined => undefined);

it.skipIf(!libpcap)('has capture filters that libpcap takes', () => {
  const found = examples('capture-filter');
  expect(found.length).toBeGreaterThan(8);
  for (const filter of found) expect(typeof compileBpf(libpcap!.compileForFile(filter, 1, 262_144))).toBe('function');
});
