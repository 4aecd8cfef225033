/**
 * The program's code as V8 compiled it when the program was built: without it a third of a second's start is spent on reading
 * the sources of two hundred protocols, and on compiling again, function by function, what is called.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';

/** The command line (main.ts). */
export interface Program {
  /** See `main` there. */
  readonly main: (args: readonly string[]) => Promise<void>;
}

/** Where what V8 made of `program` is kept. */
export const cacheOf = (program: URL): URL => new URL(`${program.href}.cache`);

/** The program in a file, with what V8 made of it before. Another version of V8 refuses that; then, or where there is none, it is compiled anew. */
export function load(file: URL): { readonly program: Program; readonly script: Script } {
  // Next to nothing survives a young collection, so that threads to share it cost more than they save: a twentieth of `read`.
  setFlagsFromString('--no-parallel-scavenge');
  // The bundler leaves nothing but ASCII in it.
  const source = readFileSync(file, 'latin1');
  const cachedData = readIfAny(cacheOf(file));
  const path = fileURLToPath(file);
  const script = new Script(`(function (exports, require, module, __filename) {${source}\n})`, {
    filename: path,
    ...(cachedData && { cachedData }),
  });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(path), module, path);
  return { program: module.exports as Program, script };
}

function readIfAny(path: URL): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
