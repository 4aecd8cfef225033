// Writes fixtures/golden/: what netlens prints for each capture, to be reviewed as text; compared with tshark where it is
// installed, field by field. Exit 1 when a field differs that docs/differences.md does not name.
//   npm run golden             all of them
//   npm run golden -- redis    only some
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

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
process.exitCode = compare() ? 0 : 1;

function stem(capture) {
  return capture.replace(/\.pcap(ng)?$/, '');
}

function compare() {
  if (spawnSync('tshark', ['--version']).status !== 0) {
    console.log('tshark is not installed: not compared');
    return true;
  }
  const known = new Set(
    execFileSync('tshark', ['-G', 'fields'], { maxBuffer: 2 ** 28 })
      .toString()
      .split('\n')
      .map((line) => line.split('\t')[2]),
  );
  const names = execFileSync('node', ['dist/netlens.js', 'fields', '--json'], { maxBuffer: 2 ** 26 })
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).name)
    .filter((name) => known.has(name) && !/^(frame\.time|_ws\.|frame\.protocols|frame\.number$)/.test(name));
  const differences = readFileSync('docs/differences.md', 'utf8');
  const columns = ['frame.number', ...names].flatMap((name) => ['-e', name]);
  // tshark recognises no Redis on ports of its own.
  const preferences = ['-o', 'tcp.reassemble_out_of_order:TRUE', '-d', 'tcp.port==6380-6383,resp', '-d', 'tcp.port==26379,resp'];
  let fine = true;
  let values = 0;
  for (const capture of captures) {
    const path = `fixtures/${capture}`;
    const run = (command, args) =>
      execFileSync(command, args, { maxBuffer: 2 ** 28, stdio: ['ignore', 'pipe', 'ignore'] })
        .toString()
        .trimEnd()
        .split('\n')
        .map((line) => line.split('\t'));
    const theirs = run('tshark', ['-n', ...preferences, '-r', path, '-T', 'fields', ...columns]);
    const ours = run('node', ['dist/netlens.js', 'read', path, '-T', 'fields', ...columns]);
    for (const [i, row] of theirs.entries())
      for (const [k, name] of names.entries()) {
        const [want = '', got = ''] = [row[k + 1], ours[i]?.[k + 1]];
        if (want !== '' || got !== '') values++;
        if (canonical(want) === canonical(got) || differences.includes(`\`${name}\``)) continue;
        fine = false;
        console.log(
          `${capture} frame ${row[0]} ${name}: tshark ${JSON.stringify(want.slice(0, 60))}, netlens ${JSON.stringify(got.slice(0, 60))}`,
        );
      }
  }
  console.log(`${values} values compared with tshark`);
  return fine;
}

function canonical(text) {
  return text
    .split(',')
    .map((v) =>
      /^0x[0-9a-f]+$/i.test(v)
        ? String(BigInt(v))
        : /^-?\d+\.\d+$/.test(v)
          ? v.replace(/\.?0+$/, '')
          : v === 'True'
            ? '1'
            : v === 'False'
              ? '0'
              : v.toLowerCase(),
    )
    .join(',');
}
