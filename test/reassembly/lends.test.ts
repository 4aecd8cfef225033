/** A session that leaves octets of messages where the capture is read: its JSON is the same, however often that is written over. */
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openCapture } from '../../src/capture/open.js';
import { CaptureRecord } from '../../src/capture/source.js';
import type { Frame } from '../../src/core/frame.js';
import type { Session } from '../../src/core/session.js';
import { TextBuffer } from '../../src/core/text.js';
import { Http } from '../../src/dissectors/http-layer.js';
import { Tcp } from '../../src/dissectors/tcp.js';
import { createSession } from '../../src/frames.js';
import { JsonWriter } from '../../src/output/json.js';
import { roughTalks } from './rough.js';
import { Talk } from './talk.js';

const LENDS = { lends: true };

/** What a capture is read to, written over again and again. */
class Window {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(
    private readonly session: Session,
    size: number,
  ) {
    this.bytes = new Uint8Array(size);
  }

  readonly place = (packet: Uint8Array): { bytes: Uint8Array; start: number } => {
    if (this.at + packet.length > this.bytes.length) this.overwrite();
    const start = this.at;
    this.bytes.set(packet, start);
    this.at += packet.length;
    return { bytes: this.bytes, start };
  };

  overwrite(): void {
    this.session.hooks.keepOctets?.();
    this.bytes.fill(0x2a);
    this.at = 0;
  }
}

/** A conversation whose segments come through a window. */
function lendingTalk(port: number, size = 1 << 16): { talk: Talk; window: Window } {
  const talk = new Talk(port, LENDS);
  const window = new Window(talk.session, size);
  talk.place = window.place;
  return { talk: talk.open(), window };
}

function jsonOf(writer: JsonWriter, frame: Frame): string {
  const out = new TextBuffer();
  writer.write(out, frame);
  frame.session.shown(frame);
  return out.toString();
}

/** The JSON of a capture; `lends`: of a session that borrows from a window that is written over every third frame. */
async function linesOf(path: string, lends: boolean): Promise<string[]> {
  const reader = await openCapture(path);
  const session = createSession({ lends });
  const window = new Window(session, 70_000);
  const writer = new JsonWriter();
  const record = new CaptureRecord();
  const lines: string[] = [];
  do {
    while (reader.next(record)) {
      session.learn(reader.secrets);
      if (lends) {
        if (lines.length % 3 === 0) window.overwrite();
        const { bytes, start } = window.place(record.bytes.slice(record.start, record.captured));
        record.captured += start - record.start;
        record.bytes = bytes;
        record.start = start;
      }
      lines.push(jsonOf(writer, session.dissect(record)));
    }
  } while (await reader.fill());
  return lines;
}

test.each(readdirSync('fixtures').filter((name) => /\.pcap(ng)?$/.test(name)))('%s has the same JSON', async (name) => {
  expect(await linesOf(`fixtures/${name}`, true)).toEqual(await linesOf(`fixtures/${name}`, false));
});

test.each([1, 2, 3, 4, 5, 6])('JSON is the same whatever the network does, seed %i', (seed) => {
  for (const { port, sent } of roughTalks(seed, true)) {
    const writer = new JsonWriter();
    for (const size of [2500, 7000, 1 << 18]) {
      const full = new Talk(port).open();
      const { talk } = lendingTalk(port, size);
      for (const one of sent) expect(jsonOf(writer, talk.send(...one))).toBe(jsonOf(writer, full.send(...one)));
    }
  }
});

describe('a body of several segments', () => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n';

  test('is not put together when it is whole at once', () => {
    const { talk } = lendingTalk(80);
    const begun = talk.server(0, head + 'b'.repeat(1000));
    for (const from of [1000, 2000]) talk.server(head.length + from, 'b'.repeat(1000));
    const frame = talk.server(head.length + 3000, 'b'.repeat(1000));
    const http = frame.get(Http)!;
    expect([http.bodyLength, http.bodyCaptured]).toEqual([4000, 4000]);
    expect(http.bytes.buffer).toBe(begun.bytes.buffer);
    expect([...frame.get(Tcp)!.assembly!.reassembled!.parts]).toHaveLength(4);
  });

  test('is put together when what it was read to is written over, and then as always', () => {
    const { talk, window } = lendingTalk(80);
    talk.server(0, head + 'a'.repeat(1000));
    talk.server(head.length + 1000, 'b'.repeat(1000));
    window.overwrite();
    talk.server(head.length + 2000, 'c'.repeat(1000));
    window.overwrite();
    const http = talk.server(head.length + 3000, 'd'.repeat(1000)).get(Http)!;
    const body = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(1000)).join('');
    expect(Buffer.from(http.body!).toString()).toBe(body);
  });

  test('is compared with what comes again, of all its octets', () => {
    const { talk } = lendingTalk(80);
    talk.server(0, head + 'a'.repeat(1000));
    talk.server(head.length + 1000, 'b'.repeat(1000));
    const { conflict } = talk.server(head.length + 1500, `${'b'.repeat(499)}x`).get(Tcp)!.assembly!;
    expect(conflict?.position).toBe(head.length + 1500);
  });

  test.each([
    ['coded', 'Content-Encoding: gzip'],
    ['of DNS', 'Content-Type: application/dns-message'],
  ])('%s is put together', (_what, line) => {
    const { talk } = lendingTalk(80);
    const own = `HTTP/1.1 200 OK\r\n${line}\r\nContent-Length: 2000\r\n\r\n`;
    const begun = talk.server(0, own + 'b'.repeat(1000));
    const http = talk.server(own.length + 1000, 'c'.repeat(1000)).get(Http)!;
    expect(http.bytes.buffer).not.toBe(begun.bytes.buffer);
    expect(Buffer.from(http.body!).toString()).toBe('b'.repeat(1000) + 'c'.repeat(1000));
  });
});
