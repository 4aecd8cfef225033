/** The package as others use it: what it exports, says, and ships. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'esbuild';
import { afterAll, describe, expect, it } from 'vitest';
import * as netlens from '../src/index.js';
import * as protocol from '../src/protocol.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'netlens-library-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sourceFiles = (readdirSync(join(root, 'src'), { recursive: true }) as string[])
  .filter((name) => name.endsWith('.ts'))
  .sort()
  .map((name) => join(root, 'src', name));

describe('exports', () => {
  it('have every layer class', () => {
    const exported = new Set<unknown>(Object.values(netlens));
    expect(netlens.LAYERS.filter((layer) => !exported.has(layer)).map((layer) => layer.name)).toEqual([]);
  });

  it('infer the types of properties', async () => {
    for await (const frame of netlens.open(join(root, 'fixtures/redis.pcap'))) {
      const port: number | undefined = frame.get(netlens.Tcp)?.srcPort;
      const address: string | undefined = frame.get(netlens.Ipv4)?.source;
      // @ts-expect-error a port is no text
      const wrong: string | undefined = frame.get(netlens.Tcp)?.srcPort;
      expect([port, address, wrong]).toEqual([expect.any(Number), expect.stringMatching(/^10\./), port]);
      return;
    }
  });

  it.each(['src/index.ts', 'src/protocol.ts'])('of %s say what they are', (entry) => {
    const names = exportsOf(join(root, entry));
    expect(names.length).toBeGreaterThan(40);
    expect(names.filter(({ file, name }) => !isDocumented(file, name)).map(({ name }) => name)).toEqual([]);
  });

  it('offer all that the commands find things out with; only the layout of their tables is their own', () => {
    const offered = new Set(['src/index.ts', 'src/protocol.ts'].flatMap((entry) => exportsOf(join(root, entry)).map(({ name }) => name)));
    const used = sourceFiles
      .filter((file) => dirname(file).endsWith('cli'))
      .flatMap((file) => importsOf(readFileSync(file, 'utf8')).filter(({ from }) => /^\.\.\/(?!report\/)/.test(from)));
    expect(used.length).toBeGreaterThan(20);
    expect([...new Set(used.map(({ name }) => name))].filter((name) => !offered.has(name))).toEqual([]);
  });
});

interface Named {
  readonly name: string;
  readonly from: string;
}

/** Names in the braces of `import { … } from` or `export { … } from`. */
function namesIn(source: string, word: 'import' | 'export'): Named[] {
  return [...source.matchAll(new RegExp(`^${word} (?:type )?\\{([^}]*)\\} from '([^']+)'`, 'gm'))].flatMap(([, names, from]) =>
    names!
      .split(',')
      .map((name) => name.trim().replace(/^type /, ''))
      .filter(Boolean)
      .map((name) => ({ name, from: from! })),
  );
}
const importsOf = (source: string): Named[] => namesIn(source, 'import');
const sourceOf = (file: string, from: string): string => resolve(dirname(file), from.replace(/\.js$/, '.ts'));
const DECLARATION = /^export (?:declare )?(?:abstract )?(?:async )?(?:const|class|function\*?|interface|type) (\w+)/;

/** Every name that a module exports, and the file that it says it comes from. */
function exportsOf(file: string): { name: string; file: string }[] {
  const source = readFileSync(file, 'utf8');
  const own = source.split('\n').flatMap((line) => DECLARATION.exec(line)?.[1] ?? []);
  const all = [...source.matchAll(/^export \* from '([^']+)'/gm)].flatMap(([, from]) => exportsOf(sourceOf(file, from!)));
  return [
    ...own.map((name) => ({ name, file })),
    ...namesIn(source, 'export').map(({ name, from }) => ({ name, file: sourceOf(file, from) })),
    ...all,
  ];
}

/** Is there a doc comment right before the declaration? Names that a file passes on are looked up where they come from. */
function isDocumented(file: string, name: string): boolean {
  const lines = readFileSync(file, 'utf8').split('\n');
  const at = lines.findIndex((line) => DECLARATION.exec(line)?.[1] === name);
  if (at >= 0) {
    let before = at - 1;
    while (lines[before]?.startsWith('// biome-ignore')) before--;
    return lines[before]?.endsWith('*/') ?? false;
  }
  const passed = importsOf(lines.join('\n')).find((one) => one.name === name);
  return passed !== undefined && isDocumented(sourceOf(file, passed.from), name);
}

/** The `@example` of each doc comment as a module of its own. */
const examples = sourceFiles.flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(/\/\*\*(?:(?!\*\/)[\s\S])*?@example(?:(?!\*\/)[\s\S])*\*\//g)].map(([comment], index) => {
    const [, text] = comment.split('@example');
    const code = text!
      .split('\n')
      .map((line) => line.replace(/^ *\*(\/|$| )/, '').replace(/ ?\*\/$/, ''))
      .join('\n')
      .split(/^@\w+/m)[0]!
      .trim();
    return { name: `${file.slice(root.length + 4)}${index > 0 ? ` (${index + 1})` : ''}`, code: withImports(code) };
  }),
);

/** What an example uses without saying where it is from. */
function withImports(code: string): string {
  if (/^import /m.test(code)) return code;
  const words = new Set(code.match(/[A-Za-z]\w*/g));
  const used = (names: readonly string[]) => names.filter((name) => words.has(name));
  const inProtocol = exportsOf(join(root, 'src/protocol.ts')).map(({ name }) => name);
  const first = used(exportsOf(join(root, 'src/index.ts')).map(({ name }) => name)).filter((name) => name !== 'string');
  const second = used(inProtocol).filter((name) => !first.includes(name) && name in protocol && !new RegExp(`\\.${name}\\b`).test(code));
  const line = (names: readonly string[], from: string) =>
    names.length > 0 ? `import { ${[...new Set(names)].join(', ')} } from '${from}';\n` : '';
  return `${line(first, 'netlens')}${line(second, 'netlens/protocol')}${code}\n`;
}

const isLive = (code: string): boolean => /\b(live|openLive)\(/.test(code);
const canCapture = process.getuid?.() === 0 && spawnSync('ping', ['-V']).error === undefined;
const hasLibpcap = await netlens.compileFilter('ip', 1).then(
  () => true,
  () => false,
);

describe('the examples in doc comments', () => {
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules/netlens'));
  symlinkSync(join(root, 'fixtures'), join(folder, 'fixtures'));
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}');

  it('are of the right types', () => {
    for (const [index, { code }] of examples.entries()) writeFileSync(join(folder, `${index}.ts`), `${code}\nexport {};\n`);
    const paths = { netlens: [join(root, 'src/index.ts')], 'netlens/protocol': [join(root, 'src/protocol.ts')] };
    const compilerOptions = { paths, noUnusedLocals: false, typeRoots: [join(root, 'node_modules/@types')] };
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, include: ['*.ts'] }),
    );
    const { stdout, status } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' });
    expect(stdout).toBe('');
    expect(status).toBe(0);
  });

  it.each(examples.map(({ name, code }, index) => [name, code, index] as const))('%s', async (_name, code, index) => {
    if (isLive(code) && !(canCapture && hasLibpcap)) return;
    if (/compileFilter\(/.test(code) && !hasLibpcap) return;
    const file = join(folder, `${index}.js`);
    writeFileSync(file, transformSync(code, { loader: 'ts', format: 'esm' }).code);
    const traffic = isLive(code) ? spawn('ping', ['-q', '-i', '0.1', '-w', '10', '127.0.0.1'], { stdio: 'ignore' }) : undefined;
    // Beside the fixtures that they read, where they may write.
    const child = spawn(process.execPath, [file], { cwd: folder });
    let said = '';
    child.stderr.on('data', (piece) => {
      said += String(piece);
    });
    child.stdout.resume();
    const status = await new Promise((done) => child.on('close', done));
    traffic?.kill();
    expect(said).toBe('');
    expect(status).toBe(0);
  });

  it('are there at all', () => expect(examples.length).toBeGreaterThan(12));
});

describe('npm pack', () => {
  const copy = join(folder, 'copy');
  let tarball: string | undefined;
  /** Packed from a copy, because packing builds dist/ anew while other tests run it. */
  const packed = (): string => {
    if (tarball !== undefined) return tarball;
    mkdirSync(copy);
    for (const name of [
      'package.json',
      'tsconfig.json',
      'tsconfig.build.json',
      'README.md',
      'CHANGELOG.md',
      'LICENSE',
      'src',
      'test',
      'scripts',
      'fixtures',
      'docs',
    ])
      cpSync(join(root, name), join(copy, name), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    const output = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], { cwd: copy, encoding: 'utf8', stdio: 'pipe' });
    return (tarball = join(folder, /"filename": "([^"]+)"/.exec(output)![1]!));
  };

  it('ships the program, the library and its types, and no tests', () => {
    const files = execFileSync('tar', ['-tzf', packed()], { encoding: 'utf8' }).trim().split('\n');
    for (const name of [
      'package.json',
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      'dist/netlens.js',
      'dist/netlens.cjs',
      'dist/netlens.cjs.cache',
      'dist/index.js',
      'dist/types/index.d.ts',
      'dist/types/protocol.d.ts',
    ])
      expect(files).toContain(`package/${name}`);
    expect(files.filter((file) => /test|fixtures|\.pcap|node_modules|\/src\//.test(file))).toEqual([]);
  });

  it('can be installed into an empty prefix, and reads a capture from another folder', (context) => {
    const prefix = join(folder, 'prefix');
    const elsewhere = join(folder, 'elsewhere');
    mkdirSync(elsewhere);
    const install = spawnSync(
      'npm',
      ['install', '--global', '--prefix', prefix, '--offline', '--no-audit', '--no-fund', '--omit=optional', '--ignore-scripts', packed()],
      { cwd: elsewhere, encoding: 'utf8' },
    );
    if (/ENOTCACHED/.test(install.stderr)) context.skip('its dependencies are not in the cache of npm');
    expect(install.stderr).not.toMatch(/npm error/);
    const run = spawnSync(join(prefix, 'bin/netlens'), ['read', join(root, 'fixtures/arp.pcap')], { cwd: elsewhere, encoding: 'utf8' });
    expect(run.stderr).toBe('');
    expect(run.stdout).toMatch(/ARP .* Who has /);
  }, 120_000);
});
