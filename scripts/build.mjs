// Builds dist/: the CLI (with what V8 makes of it, so that it starts fast), the library, and the type declarations.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
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
  splitting: true,
  write: false,
  outdir: 'dist',
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
const library = await build({
  ...common,
  entryPoints: { netlens: 'src/cli/start.ts', index: 'src/index.ts', protocol: 'src/protocol.ts' },
  chunkNames: 'chunks/[name]-[hash]',
});
for (const { path, text } of library.outputFiles) write(path, await settled(text));
const program = await build({ ...common, entryPoints: { program: 'src/cli/main.ts' } });
write(
  'dist/netlens.cjs',
  asScript(await Promise.all(program.outputFiles.map(async ({ path, text }) => [basename(path), await settled(text)]))),
);
const keeper = await build({ ...common, entryPoints: ['src/cli/keep-compiled.ts'] });
write('dist/keep-compiled.js', keeper.outputFiles[0].text);
execFileSync(process.execPath, ['dist/keep-compiled.js'], { stdio: ['ignore', 'ignore', 'inherit'] });
rmSync('dist/keep-compiled.js');
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
async function settled(text) {
  const constants = text.replace(TOP_LEVEL, 'const $1 = ');
  const { warnings } = await transform(constants, { format: 'esm', target: common.target, logLevel: 'silent' });
  const variable = new Set(warnings.flatMap(({ id, text }) => (id === 'assign-to-constant' ? text.match(/"(.+?)"/)[1] : [])));
  return text.replace(TOP_LEVEL, (whole, name) => (variable.has(name) ? whole : `const ${name} = `));
}

/**
 * The modules of the program, of which `program.js` is the first, as one script: V8 keeps what it made of a script, not of
 * modules. Each module becomes a function, called when somebody first asks for the module; what it takes from others are
 * constants in it, as they were.
 */
function asScript(modules) {
  const taken = (names) => names.replaceAll(' as ', ': ');
  const functions = modules.map(([name, text]) => {
    const body = text
      .replace(
        /^import (\{[^}]*\}|[\w$]+) from "([^"]+)";$/gm,
        (_, names, from) => `const ${taken(names)} = ${from.startsWith('.') ? `__take("${basename(from)}")` : `require("${from}")`};`,
      )
      .replace(/^import "\.\/([^"]+)";$/gm, '__take("$1");')
      .replace(/\bimport\("\.\/([^"]+)"\)/g, '__later(() => __take("$1"))')
      .replace(/\bimport\("([^"]+)"\)/g, '__later(() => __moduleOf(require("$1")))')
      .replaceAll('import.meta.url', '__filename')
      .replace(/^export (\{[^}]*\});$/gm, (_, names) => `return ${taken(names).replace(/([\w$]+): ([\w$]+)/g, '$2: $1')};`);
    const left = /^(?:import|export)\b.*/m.exec(body);
    if (left !== null) throw new Error(`${name}: no way is known to make a script of: ${left[0]}`);
    return `${JSON.stringify(name)}: () => {\n${body}},\n`;
  });
  const script = `"use strict";
const __modules = {
${functions.join('')}};
const __made = new Map();
const __take = (name) => __made.get(name) ?? __made.set(name, __modules[name]() ?? {}).get(name);
const __later = (make) => Promise.resolve().then(make);
const __moduleOf = (exports) => ({ ...exports, default: exports });
Object.assign(exports, __take("program.js"));
`;
  // An octet each is read fastest. What esbuild left as it is stands in comments and regular expressions.
  return script.replace(/[^\0-\x7f]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
