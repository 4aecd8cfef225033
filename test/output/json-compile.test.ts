import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openCapture } from '../../src/capture/open.js';
import { CaptureRecord } from '../../src/capture/source.js';
import { bits, computed, flag, group, string, uint8, uint16 } from '../../src/core/field.js';
import { layer } from '../../src/core/layer.js';
import { TextBuffer } from '../../src/core/text.js';
import { createSession } from '../../src/frames.js';
import { JsonWriter } from '../../src/output/json.js';
import { sourceOf } from '../../src/output/json-compile.js';
import { layoutOf } from '../../src/output/json-layout.js';

class Beacon extends layer('beacon', 'Beacon', {
  hops: uint8('beacon.hops', 'Hops', 0),
  ...group(
    { serial: uint16('beacon.serial', 'Serial', 2) },
    { odd: computed('bool', 'beacon.serial.odd', 'Odd', (l) => (l.captured > 4 ? l.bytes[l.start + 3]! % 2 === 1 : undefined)) },
  ),
  state: bits('beacon.state', 'State', 4, 8, 0xf0),
  urgent: flag('beacon.urgent', 'Urgent', 4, 0x01),
  lost: flag('beacon.lost', 'Lost', 4, 0x02),
  name: string('beacon.name', 'Name', 5, 3),
}) {
  override summary(): void {}
}

test('the code for a small protocol', () => {
  expect(sourceOf(layoutOf(Beacon.protocol, false), new JsonWriter(), undefined).text).toMatchInlineSnapshot(`
    ""use strict";
    const [c0, c1, c2, c3] = c;
    return (out, layer, key) => {
      const { bytes, start, captured } = layer;
      const ROOM = 2351;
      out.room(ROOM);
      let view = out.view;
      let at = key.put(view, out.length);
      const first = at;
      let p, x, w0, w1, w2, w3;
      p = start + 0;
      if (p + 1 <= captured) {
        view.setFloat64(at, 1.1644176634422202e-28, true); at += 8; // ,"hops":
        at = putShort(view, at, bytes[p]);
      }
      const m0 = at;
      view.setFloat64(at, 1.1723388130080556e+214, true); view.setInt32(at + 8, 14882, true); at += 10; // ,"serial":
      p = start + 2;
      if (p + 2 <= captured) {
        view.setFloat64(at, 5.499145024016051e-143, true); view.setInt32(at + 8, 58, true); at += 9; // ,"value":
        at = putWord(view, at, ((bytes[p] << 8) | bytes[p + 1]));
      }
      x = c0(layer);
      if (x !== undefined) {
        view.setFloat64(at, 1.4537711614083468e-307, true); at += 7; // ,"odd":
        at = putBoolean(view, at, x);
      }
      if (at === m0 + 10) at = m0;
      else {
        view.setUint8(m0 + 10, 123);
        view.setUint8(at++, 125);
      }
      // state, urgent, lost
      p = start + 4;
      x = undefined;
      if (p + 1 <= captured && !layer.unusual) {
        w0 = bytes[p];
        x = c1.find(w0, 0, 0, 0);
        if (x === undefined) {
          x = renderRun(c2, layer, writer);
          if (x !== undefined) c1.keep((x = new RunText(w0, 0, 0, 0, x)));
        }
      }
      if (x !== undefined) at = x.put(view, at);
      else {
        out.length = at;
        for (const node of c2) writer.member(out, node, layer, undefined);
        out.room(ROOM);
        view = out.view;
        at = out.length;
      }
      x = c3.raw(layer);
      if (x !== undefined) {
        view.setFloat64(at, 1.1609634555129769e-28, true); at += 8; // ,"name":
        out.length = at;
        writeJsonValue(out, c3, x);
        out.room(ROOM);
        view = out.view;
        at = out.length;
      }
      out.length = at;
      out.room(ROOM);
      view = out.view;
      at = out.length;
      if (at === first) view.setUint8(at++, 123);
      else view.setUint8(first, 123);
      view.setUint8(at++, 125);
      out.length = at;
    };"
  `);
});

/** The JSON of a capture's frames. */
async function linesOf(file: string, writer: JsonWriter, checksums: boolean): Promise<string[]> {
  const reader = await openCapture(file);
  const session = createSession({ checksums });
  const record = new CaptureRecord();
  const lines: string[] = [];
  do {
    while (reader.next(record)) {
      session.learn(reader.secrets);
      const out = new TextBuffer(64);
      writer.write(out, session.dissect(record));
      lines.push(out.toString());
    }
  } while (await reader.fill());
  await reader.close();
  return lines;
}

test.each(readdirSync('fixtures').filter((name) => /\.pcap(ng)?$/.test(name)))('%s: code writes what rows write', async (name) => {
  for (const octets of [false, true]) {
    const byRows = await linesOf(`fixtures/${name}`, new JsonWriter({ octets, compileAfter: Number.POSITIVE_INFINITY }), octets);
    const byCode = await linesOf(`fixtures/${name}`, new JsonWriter({ octets, compileAfter: 0 }), octets);
    expect(byCode).toEqual(byRows);
    for (const line of byCode) JSON.parse(line);
  }
});
