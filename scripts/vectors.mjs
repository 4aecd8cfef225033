#!/usr/bin/env node
/**
 * Compares netlens with test vectors: small captures NAME.pcap beside NAME.tsv, which holds what
 * `tshark -T fields -E header=y -e … -r NAME.pcap` printed for it. The first letter of a name is its group. Where the folder
 * has a vectors.json, its `prefs` are the preferences (`-o`) that a vector was made with; netlens gets the options that mean
 * the same.
 *
 *   node scripts/vectors.mjs FOLDER [GROUPS]     e.g. vectors.mjs ../vectors abcdefgn
 *
 * Group h depends on how segments are put together; docs/differences.md says what netlens gives for each of its vectors.
 * Prints every difference and how many vectors of each group agree; exit status 1 if one does not.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSession, eachValue, FIELDS, framesOf, openCapture, valueText } from '../dist/index.js';

const [folder, groups = ''] = process.argv.slice(2);
if (folder === undefined) {
  console.error('vectors.mjs FOLDER [GROUPS]: where are the vectors?');
  process.exit(2);
}

/** Columns that are long are given by their octets: `12B`. */
const SHORTENED = new Set(['tcp.payload', 'tcp.segment_data']);

/** What differs for a reason that docs/differences.md gives. */
const ON_PURPOSE = new Map([['g09_ip6_plen0', "IPv6 with a payload length of 0 is dissected, as with tshark's ipv6.tso_support:TRUE"]]);

/** Remarks in words: netlens has words of its own; which remarks there are, fields of their own say. */
const WORDS = new Set(['_ws.expert.message']);

/** Preferences of tshark as options of a session. Streams are always put in order, which is no option. */
const OPTIONS = new Map([
  ['ip.defragment:FALSE', { defragment: false }],
  ['tcp.check_checksum:TRUE', { checksums: true }],
]);

const described = join(folder, 'vectors.json');
const preferences = new Map(
  existsSync(described) ? JSON.parse(readFileSync(described, 'utf8')).map(({ name, prefs }) => [name, prefs]) : [],
);

/** The options of a session that mean what the vector was made with. */
const optionsOf = (name) => Object.assign({}, ...(preferences.get(name) ?? []).map((preference) => OPTIONS.get(preference)));

/** A field of a frame as the vectors have it. */
function printed(frame, name) {
  const texts = [];
  for (const field of FIELDS.get(name)) eachValue(frame, [field], (raw, f) => texts.push(valueText(f, raw)));
  if (SHORTENED.has(name)) return texts.map((text) => `${text.length / 2}B`).join(',');
  return texts.join(',');
}

/** tshark has two items of the name `tcp.analysis.duplicate_ack`. */
const expected = (name, text) => (name === 'tcp.analysis.duplicate_ack' && text === '1,1' ? '1' : text);

const counts = new Map();
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.pcap') && (groups === '' || groups.includes(file[0])))
  .map((file) => file.slice(0, -'.pcap'.length))
  .sort();
for (const name of names) {
  const [head, ...rows] = readFileSync(join(folder, `${name}.tsv`), 'utf8')
    .trimEnd()
    .split('\n');
  const columns = head.split('\t');
  const differences = [];
  const reader = await openCapture(join(folder, `${name}.pcap`));
  let frames = 0;
  for await (const frame of framesOf(reader, createSession(optionsOf(name)))) {
    const row = rows[frames++]?.split('\t') ?? [];
    for (const [i, column] of columns.entries()) {
      // Which octets wait for a message is a matter of reassembly, whose vectors group h are.
      if (!FIELDS.has(column) || WORDS.has(column) || (column === 'tcp.segment_data' && name[0] !== 'h')) continue;
      const want = expected(column, row[i] ?? '');
      const got = printed(frame, column);
      if (got !== want) differences.push(`  #${frame.number} ${column}: expected ${JSON.stringify(want)}, is ${JSON.stringify(got)}`);
    }
  }
  if (frames !== rows.length) differences.push(`  ${frames} frames instead of ${rows.length}`);
  const count = counts.get(name[0]) ?? { agree: 0, purpose: 0, all: 0 };
  counts.set(name[0], count);
  count.all++;
  if (differences.length === 0) count.agree++;
  else if (ON_PURPOSE.has(name)) {
    count.purpose++;
    console.log(`${name}: differs on purpose, ${ON_PURPOSE.get(name)}`);
  } else console.log([name, ...differences].join('\n'));
}
for (const [group, { agree, purpose, all }] of counts)
  console.log(`group ${group}: ${agree} of ${all} agree${purpose > 0 ? `, ${purpose} differ on purpose` : ''}`);
process.exitCode = [...counts.values()].every(({ agree, purpose, all }) => agree + purpose === all) ? 0 : 1;
