/** Captures as octets, for tests. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCapture } from '../../src/capture/open.js';
import { type CaptureReader, CaptureRecord, type RecordNotes } from '../../src/capture/source.js';

/** Hex to octets; white space and `|` are for the eye. */
export function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replace(/[\s|]/g, ''), 'hex'));
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

/** A folder that goes away with the test, and a way to put a file there. */
export function scratch(): {
  path: (name: string) => string;
  file: (name: string, octets: Uint8Array) => string;
  [Symbol.dispose]: () => void;
} {
  const folder = mkdtempSync(join(tmpdir(), 'netlens-test-'));
  const path = (name: string): string => join(folder, name);
  return {
    path,
    file(name, octets) {
      writeFileSync(path(name), octets);
      return path(name);
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A record that lasts, in the words of tests. */
export interface Seen {
  time: string | undefined;
  wire: number;
  octets: string;
  interface: string | number | undefined;
  linkType: number;
  notes: RecordNotes | undefined;
}

/** Reads all records that a reader has. */
export async function readAll(reader: CaptureReader): Promise<Seen[]> {
  const record = new CaptureRecord();
  const seen: Seen[] = [];
  do {
    while (reader.next(record)) {
      seen.push({
        time: record.hasTime ? `${record.seconds}.${String(record.nanoseconds).padStart(9, '0')}` : undefined,
        wire: record.wireLength,
        octets: Buffer.from(record.bytes.subarray(record.start, record.captured)).toString('hex'),
        interface: record.interface.name ?? record.interface.id,
        linkType: record.interface.linkType,
        notes: record.notes,
      });
    }
  } while (await reader.fill());
  return seen;
}

/** Opens, reads all, closes. */
export async function readFile(path: string): Promise<{ seen: Seen[]; reader: CaptureReader; problems: string[] }> {
  const reader = await openCapture(path);
  const seen = await readAll(reader);
  await reader.close();
  return { seen, reader, problems: reader.problems.map((problem) => problem.code) };
}
