// Writes fixtures/golden/: what netlens prints for each capture, to be reviewed as text; compared with tshark where it is
// installed, field by field, frame by frame. Exit 1 when a field differs that the table "In the fixtures" of
// docs/differences.md does not name for this capture, or when that table names one that does not differ.
//   npm run golden             all of them
//   npm run golden -- redis    only some
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';

// What tshark would not tell by itself: Redis, HTTP/2 and syslog on the ports of the fixtures. It takes port 57000 for IRC.
const PREFERENCES = [
  ...['-o', 'tcp.reassemble_out_of_order:TRUE', '--disable-protocol', 'irc'],
  ...['6380-6383,resp', '26379,resp', '8081,http2', '514,syslog', '601,syslog'].flatMap((to) => ['-d', `tcp.port==${to}`]),
];

// Fields of which tshark says each value twice.
const TWICE = new Set(['tcp.analysis.duplicate_ack', 'quic.decryption_failed']);

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
await build({
  entryPoints: ['test/golden.ts'],
  outfile: 'dist/golden.mjs',
  bundle: true,
  platform: 'node',
  format: 'esm',
  external: ['koffi', 'cap', 'commander'],
  tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } },
});
// Whoever runs this: tables are as wide as they are in a file.
process.stdout.isTTY = false;
const { printed } = await import(`${root}/dist/golden.mjs`);
const some = process.argv.slice(2);
const captures = readdirSync('fixtures').filter((name) => /\.pcap(ng)?$/.test(name) && (some.length === 0 || some.includes(stem(name))));
mkdirSync('fixtures/golden', { recursive: true });
for (const capture of captures) {
  const shown = await printed(`fixtures/${capture}`);
  // A form that has nothing to say has no file.
  for (const [form, text] of Object.entries(shown)) if (text !== '') writeFileSync(`fixtures/golden/${stem(capture)}.${form}`, text);
}
console.log(`${captures.length} captures printed into fixtures/golden`);
process.exitCode = (await compare()) ? 0 : 1;

function stem(capture) {
  return capture.replace(/\.pcap(ng)?$/, '');
}

/** What differs from tshark in the fixtures: the last table of docs/differences.md, as [capture, pattern of field names]. */
function listed() {
  const text = readFileSync('docs/differences.md', 'utf8');
  const table = text.slice(text.indexOf('\n## In the fixtures\n') + 1).split(/\n## /)[0];
  const named = (cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name);
  return table
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|'))
    .flatMap(([, files, fields]) => named(files).flatMap((file) => named(fields).map((field) => ({ file, field, seen: 0 }))));
}

async function compare() {
  if (spawnSync('tshark', ['--version']).status !== 0) {
    console.log('tshark is not installed: not compared');
    return true;
  }
  const known = new Set((await output('tshark', ['-G', 'fields'])).split('\n').map((line) => line.split('\t')[2]));
  const names = (await output('node', ['dist/netlens.js', 'fields', '--json']))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).name)
    .filter((name) => known.has(name) && !/^(frame\.time|_ws\.|frame\.protocols|frame\.number$)/.test(name));
  const differences = listed();
  const columns = ['frame.number', ...names].flatMap((name) => ['-e', name]);
  let wrong = 0;
  let values = 0;
  for (const capture of captures) {
    const path = `fixtures/${capture}`;
    const [theirs, ours] = await Promise.all([
      rows('tshark', ['-n', ...PREFERENCES, '-r', path, '-T', 'fields', ...columns]),
      rows('node', ['dist/netlens.js', 'read', path, '-T', 'fields', ...columns]),
    ]);
    const report = (line) => {
      wrong++;
      console.log(`${capture} ${line}`);
    };
    if (theirs.length !== ours.length) report(`has ${theirs.length} frames in tshark, ${ours.length} in netlens`);
    const here = differences.filter(({ file }) => file === capture);
    for (const [i, row] of theirs.entries())
      for (const [k, name] of names.entries()) {
        const [want = '', got = ''] = [row[k + 1], ours[i]?.[k + 1]];
        if (want !== '' || got !== '') values++;
        if (same(name, want, got)) continue;
        const known = here.filter(({ field }) => (field.endsWith('*') ? name.startsWith(field.slice(0, -1)) : name === field));
        for (const difference of known) difference.seen++;
        if (known.length === 0)
          report(`frame ${row[0]} ${name}: tshark ${JSON.stringify(want.slice(0, 60))}, netlens ${JSON.stringify(got.slice(0, 60))}`);
      }
    for (const { field, seen } of here) if (seen === 0) report(`${field}: listed in docs/differences.md, but nothing differs`);
  }
  for (const { file, field } of differences)
    if (!existsSync(`fixtures/${file}`)) {
      wrong++;
      console.log(`${file} ${field}: listed in docs/differences.md, but there is no such capture`);
    }
  console.log(`${values} values compared with tshark, ${wrong === 0 ? 'all as it should be' : `${wrong} to look at`}`);
  return wrong === 0;
}

async function output(command, args) {
  return (await promisify(execFile)(command, args, { maxBuffer: 2 ** 28 })).stdout;
}

async function rows(command, args) {
  return (await output(command, args))
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
}

/** Whether tshark's text of a field and ours say the same. */
function same(name, want, got) {
  if (want === got) return true;
  // tshark 4.0 prints a body as text with escapes, netlens its octets.
  if (name === 'http.file_data') return want === got.split(',').map(escaped).join(',');
  return canonical(TWICE.has(name) ? once(want) : want) === canonical(got);
}

/** Half of a list that says everything twice; any other as it is. */
function once(text) {
  const values = text.split(',');
  const half = values.slice(0, values.length / 2);
  return half.join() === values.slice(values.length / 2).join() ? half.join() : text;
}

function escaped(octets) {
  return Buffer.from(octets, 'hex')
    .toString()
    .replace(/[\\\n\r\t]/g, (c) => ({ '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' })[c]);
}

function canonical(text) {
  return text
    .split(',')
    .map((v) => {
      if (/^0x[0-9a-f]+$/i.test(v)) return String(BigInt(v));
      if (/^-?\d+\.\d+$/.test(v)) return v.replace(/\.?0+$/, '');
      if (v === 'True') return '1';
      return v === 'False' ? '0' : v.toLowerCase();
    })
    .join(',');
}
