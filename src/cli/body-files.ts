/** Bodies of messages as files of a folder (`netlens http --save`). Names come from the wire, so they are made safe. */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { NetlensError } from '../core/errors.js';

/** Most characters of a name that come from the path. */
const MAX_NAME = 80;
/** Files of one name that are told apart by a number. */
const MAX_TRIES = 10_000;

/** What a path of a request may be called as a file: its last part, without what file systems and shells give a meaning to. */
export function safeName(path: string): string {
  const [before = ''] = path.split(/[?#]/, 1);
  const last = before.replace(/\/+$/, '').split('/').pop()!;
  const plain = last.replace(/[^A-Za-z0-9._-]+/g, '_').replace(/^[._-]+/, '');
  // The end says what kind of file it is.
  return plain.length > MAX_NAME ? plain.slice(-MAX_NAME) : plain;
}

export class BodyFiles {
  /** Files written, and those among them whose body is not whole. */
  count = 0;
  partial = 0;

  /** @throws NetlensError `unreadable` when the folder is not there and cannot be made */
  constructor(readonly folder: string) {
    try {
      mkdirSync(folder, { recursive: true });
    } catch (error) {
      throw new NetlensError('unreadable', `--save ${folder}: ${(error as Error).message}`);
    }
  }

  /**
   * Write a body to a file of its own: `12-logo.png` for the frame and the path of its request, with `.part` behind it when
   * it is not whole. No file is written over. Returns the file's path.
   * @throws NetlensError `unreadable`
   */
  save(frame: number, path: string, octets: Uint8Array, whole: boolean): string {
    const name = safeName(path);
    const stem = `${frame}${name === '' ? '' : `-${name}`}`;
    const dot = stem.lastIndexOf('.');
    const [front, end] = dot > 0 ? [stem.slice(0, dot), stem.slice(dot)] : [stem, ''];
    try {
      const [file, written] = this.create(front, `${end}${whole ? '' : '.part'}`);
      try {
        for (let at = 0; at < octets.length; ) at += writeSync(file, octets, at);
      } finally {
        closeSync(file);
      }
      this.count++;
      if (!whole) this.partial++;
      return written;
    } catch (error) {
      if (error instanceof NetlensError) throw error;
      throw new NetlensError('unreadable', `--save ${this.folder}: ${(error as Error).message}`);
    }
  }

  /** A file that was not there: O_EXCL follows no link. */
  private create(front: string, end: string): [file: number, path: string] {
    for (let n = 1; n <= MAX_TRIES; n++) {
      const path = join(this.folder, `${front}${n === 1 ? '' : `_${n}`}${end}`);
      try {
        return [openSync(path, 'wx', 0o644), path];
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
    }
    throw new NetlensError('unreadable', `--save ${this.folder}: too many files are called ${front}${end}`);
  }
}
