// Builds dist/: the CLI (each command in a chunk of its own, so that it starts fast), the library, and the type declarations.
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
process.chdir(root);
rmSync('dist', { recursive: true, force: true });

/** A declaration as esbuild prints it: what is inside of something is indented. */
const TOP_LEVEL = /^var ([\w$]+) = /gm;

/**
 * The module `node:process` as the global of that name. Node makes streams of standard input, output and error for who asks
 * for the module, which takes time at every start, and sets a pipe not to wait for its reader.
 */
const globalProcess = {
  name: 'global-process',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(node:)?process$/ }, () => ({ path: 'process', namespace: 'global' }));
    onLoad({ filter: /^process$/, namespace: 'global' }, () => ({ contents: 'module.exports = globalThis.process;' }));
  },
};

const common = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  // Native addons cannot be bundled, and both are optional at run time.
  external: ['koffi', 'cap'],
  plugins: [globalProcess],
  define: { __VERSION__: JSON.stringify(version) },
  tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } },
  logLevel: 'warning',
};
const { metafile } = await build({
  ...common,
  metafile: true,
  entryPoints: { netlens: 'src/cli/main.ts', index: 'src/index.ts', protocol: 'src/protocol.ts' },
  outdir: 'dist',
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
});
await Promise.all(Object.keys(metafile.outputs).map(settle));
chmodSync('dist/netlens.js', 0o755);
if (!process.argv.includes('--fast')) {
  const tsc = spawnSync('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' });
  if (tsc.status !== 0) process.exit(tsc.status ?? 1);
}

/**
 * Make constants of the variables at the top of a bundle that are assigned once: esbuild makes `var` of every `const` there,
 * and V8's compiler then has to look up each number, and to make sure of each function that it calls. esbuild itself tells
 * which of them are assigned again. 4 % of what `read` takes.
 */
async function settle(path) {
  const text = readFileSync(path, 'utf8');
  const constants = text.replace(TOP_LEVEL, 'const $1 = ');
  const { warnings } = await transform(constants, { format: 'esm', target: common.target, logLevel: 'silent' });
  const variable = new Set(warnings.flatMap(({ id, text }) => (id === 'assign-to-constant' ? text.match(/"(.+?)"/)[1] : [])));
  writeFileSync(
    path,
    text.replace(TOP_LEVEL, (whole, name) => (variable.has(name) ? whole : `const ${name} = `)),
  );
}
