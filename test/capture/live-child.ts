/**
 * Captures in a process of its own, for live.test.ts: it is to run in a network namespace and to give up root.
 *
 *     node live-child.js '{"device":"eth0","out":"x.pcapng","options":{}}'
 *
 * Prints `ready`, then, when it was sent SIGINT, one line of JSON. An error is printed as JSON, with exit status 4.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { type LiveOptions, openLive } from '../../src/capture/live.js';
import { dropPrivileges } from '../../src/capture/privileges.js';
import { CaptureRecord } from '../../src/capture/source.js';
import { openWriter } from '../../src/capture/write.js';
import { NetlensError } from '../../src/core/errors.js';

const job = JSON.parse(process.argv[2]!) as { device: string; out: string; user?: string; options: LiveOptions };
try {
  const source = await openLive(job.device, job.options);
  const writer = await openWriter(job.out);
  writer.keep(source);
  const to = dropPrivileges(job.user);
  process.on('SIGINT', () => source.stop());
  process.stdout.write('ready\n');
  const record = new CaptureRecord();
  let count = 0;
  do {
    while (source.next(record)) {
      count++;
      writer.write(record);
    }
    await writer.drain();
  } while (await source.fill());
  await writer.close();
  const threads = readdirSync('/proc/self/task').map((thread) => {
    const status = readFileSync(`/proc/self/task/${thread}/status`, 'utf8');
    return ['Uid', 'Gid', 'Groups', 'CapPrm', 'CapEff']
      .map((key) => new RegExp(`^${key}:\\s*(.*?)\\s*$`, 'm').exec(status)?.[1])
      .join(' | ');
  });
  const linkType = source.interfaces[0]!.linkType;
  const { driver, warnings, problems } = source;
  const stats = source.stats();
  await source.close();
  process.stdout.write(`${JSON.stringify({ count, stats, driver, warnings, problems, linkType, to, threads: [...new Set(threads)] })}\n`);
} catch (error) {
  if (!(error instanceof NetlensError)) throw error;
  process.stdout.write(`${JSON.stringify({ code: error.code, message: error.message })}\n`);
  process.exitCode = 4;
}
