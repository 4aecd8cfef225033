// Compares what filters select with what tshark -Y and tcpdump -r select, over a folder of captures.
//   npm run filters -- FOLDER [--captures N] [--show N] [--only display|capture] [--grep TEXT]
// The filters are those of test/filter/*.txt. Of the folder, which is searched to its depths, one capture of each link type
// is taken and then others, N in all (50). What the other tools answer is kept under the system's folder for temporary files.
// Exit 1 when anything differs.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    captures: { type: 'string', default: '50' },
    show: { type: 'string', default: '200' },
    only: { type: 'string' },
    grep: { type: 'string', default: '' },
  },
});
if (positionals.length !== 1) {
  console.error('usage: npm run filters -- FOLDER [--captures N] [--show N] [--only display|capture] [--grep TEXT]');
  process.exit(2);
}
const folder = resolve(positionals[0]);
const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
await build({
  entryPoints: ['test/filter/differential.ts'],
  outfile: 'dist/differential.mjs',
  bundle: true,
  platform: 'node',
  format: 'esm',
  external: ['koffi', 'cap', 'commander'],
  tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } },
});
const { besideTcpdump, besideTshark, captureFilters, displayFilters, linkTypeOf } = await import(`${root}/dist/differential.mjs`);

/** Captures larger than this take the other tools too long. */
const MOST_OCTETS = 1 << 20;
const captures = await chosen();
const kept = join(tmpdir(), 'netlens-filters');
mkdirSync(kept, { recursive: true });
const scratch = mkdtempSync(join(tmpdir(), 'netlens-filters-'));
let differ = false;
try {
  if (options.only !== 'capture') {
    const { filters } = displayFilters();
    const list = join(scratch, 'filters');
    writeFileSync(list, `${filters.join('\n')}\n`);
    const how = { list, out: join(scratch, 'out'), remember };
    await compare('tshark -Y', filters, (capture) => besideTshark(capture, filters, how));
  }
  if (options.only !== 'display') {
    const filters = captureFilters();
    await compare('tcpdump -r', filters, (capture) => besideTcpdump(capture, filters, { remember }));
  }
} finally {
  rmSync(scratch, { recursive: true });
}
process.exitCode = differ ? 1 : 0;

async function compare(tool, filters, beside) {
  const sum = { captures: 0, linkTypes: new Set(), compared: 0, refused: 0, differences: 0 };
  for (const { path, linkType } of captures) {
    const result = await beside(path);
    if (result === undefined) continue;
    sum.captures++;
    sum.linkTypes.add(linkType);
    sum.compared += result.compared;
    sum.refused += result.refused;
    for (const { filter, theirs, mine } of result.differences)
      if (sum.differences++ < Number(options.show)) console.log(`${relative(folder, path)}\t${filter}\t${brief(theirs, mine)}`);
  }
  if (sum.differences > 0) differ = true;
  console.log(
    `${tool}: ${filters.length} filters, ${sum.captures} captures of ${sum.linkTypes.size} link types: ` +
      `${sum.compared - sum.differences} of ${sum.compared} agree (${sum.refused} of them refused by both)`,
  );
}

/** What each side selects beyond the other. */
function brief(theirs, mine) {
  if (theirs === 'refused' || mine === 'refused') return `refused by ${theirs === 'refused' ? 'it' : 'netlens'} alone`;
  const [a, b] = [theirs, mine].map((numbers) => (numbers === '' ? [] : numbers.split(',')));
  const only = (these, those) => {
    const other = new Set(those);
    const left = these.filter((number) => !other.has(number));
    return left.length > 8 ? `${left.slice(0, 8)}… (${left.length})` : left.join();
  };
  return `it alone ${only(a, b) || 'none'}; netlens alone ${only(b, a) || 'none'}`;
}

/** One capture of each link type, the one with the most to say, and others from all over the folder. */
async function chosen() {
  const all = [];
  for (const name of readdirSync(folder, { recursive: true }).sort()) {
    const path = join(folder, name);
    if (!name.includes(options.grep) || /\.(gz|zst|lz4)$/.test(name)) continue;
    const status = statSync(path);
    if (!status.isFile() || status.size > MOST_OCTETS) continue;
    const linkType = await linkTypeOf(path);
    if (linkType !== undefined) all.push({ path, linkType, size: status.size });
  }
  const wanted = Number(options.captures);
  const largest = new Map();
  for (const one of all) if (!(largest.get(one.linkType)?.size >= one.size)) largest.set(one.linkType, one);
  const taken = new Set([...largest.values()].slice(0, wanted));
  const rest = all.filter((one) => !taken.has(one));
  const more = Math.min(wanted - taken.size, rest.length);
  for (let i = 0; i < more; i++) taken.add(rest[Math.floor(((i + 0.5) * rest.length) / more)]);
  return [...taken];
}

/** What another tool answered, asked once for these octets. */
function remember([tool, capture, ...question], ask) {
  const hash = createHash('sha256').update(readFileSync(capture));
  for (const part of [tool, ...question]) hash.update(`\0${part}`);
  const path = join(kept, hash.digest('hex').slice(0, 32));
  if (existsSync(path)) return readFileSync(path, 'latin1');
  const answer = ask();
  writeFileSync(path, answer, 'latin1');
  return answer;
}
