/**
 * Keeps what V8 makes of the program, at the end of a build. Captures are read before, so that what most people call is
 * compiled; what is printed of them is of no interest.
 */
import { writeFileSync } from 'node:fs';
import { cacheOf, load } from './load-program.js';

const file = new URL('netlens.cjs', import.meta.url);
const { program, script } = load(file);
const captures = ['redis', 'http', 'dns', 'tls', 'arp', 'ping'].map((name) => `fixtures/${name}.pcap`);
// None of the commands that set flags of V8: what was compiled with others is refused.
for (const options of [[], ['--json'], ['-V', '-Y', 'tcp.port == 80']]) await program.main(['read', ...captures, ...options]);
writeFileSync(cacheOf(file), script.createCachedData());
if (load(file).script.cachedDataRejected !== false) throw new Error('V8 refuses what it made of the program');
