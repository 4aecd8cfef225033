#!/usr/bin/env node
/** Where the program starts: all that is needed to tell its version stands here, so that it does so as fast as Node starts. */
declare const __VERSION__: string;

const args = process.argv.slice(2);
if (/^(-v|-V|--version)$/.test(args[0] ?? '')) process.stdout.write(`${__VERSION__}\n`);
else {
  const { load } = await import('./load-program.js');
  await load(new URL('netlens.cjs', import.meta.url)).program.main(args);
  // All is written. To take the engine's memory apart piece by piece takes some 20 ms; the system does it at once.
  process.exit();
}
