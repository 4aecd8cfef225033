import { describe, expect, it } from 'vitest';
import { pseudoHeaderLength } from '../../src/capture/link-types.js';
import { CaptureRecord, TIMELESS } from '../../src/capture/source.js';
import type { Frame } from '../../src/core/frame.js';
import type { Session } from '../../src/core/session.js';
import { TextBuffer } from '../../src/core/text.js';
import { createSession } from '../../src/frames.js';
import { JsonWriter } from '../../src/output/json.js';
import { LINE_DEFAULTS, LineWriter, type TimeFormat } from '../../src/output/line.js';
import { dissect, hex, values } from '../packets.js';

const PACKET = hex('020000000001 020000000002 88b5 | 00112233');

/** A frame of a capture that does not say when it came. */
function timeless(session: Session, octets = PACKET): Frame {
  const record = new CaptureRecord();
  record.bytes = octets;
  record.captured = record.wireLength = octets.length;
  record.interface = { ...record.interface, linkType: 1 };
  record.hasTime = false;
  record.notes = TIMELESS;
  return session.dissect(record);
}

const TIMES = ['frame.time', 'frame.time_epoch', 'frame.time_delta', 'frame.time_delta_displayed', 'frame.time_relative'];

describe('A frame without a time', () => {
  it('has no field with one, and is 0 to the frame after it', () => {
    const session = createSession();
    const first = timeless(session);
    expect(first.hasTime).toBe(false);
    expect(TIMES.map((name) => values(first, name))).toEqual(['', '', '', '', '']);
    const next = dissect(PACKET, { session, seconds: 5 });
    expect(TIMES.map((name) => values(next, name))).toEqual([
      'Jan  1, 1970 00:00:05.000000000 UTC',
      '5.000000000',
      '5.000000000',
      '5.000000000',
      '5.000000000',
    ]);
  });

  it.each([
    ['tcp', '06', '1388 0050 00000001 00000002 5010 0400 0000 0000'],
    ['udp', '11', '1388 0999 0014 0000 000000000000000000000000'],
  ])('has no time in its stream (%s)', (name, protocol, transport) => {
    const octets = hex(`020000000001 020000000002 0800 | 4500 0028 0000 4000 40 ${protocol} 0000 c0000201 c0000202 | ${transport}`);
    const session = createSession();
    const times = () =>
      [`${name}.stream`, `${name}.time_relative`, `${name}.time_delta`].map((field) => values(timeless(session, octets), field));
    expect([times(), times()]).toEqual([
      ['0', '', ''],
      ['0', '', ''],
    ]);
    for (const compileAfter of [0, 1000]) {
      const out = new TextBuffer();
      new JsonWriter({ compileAfter }).write(out, timeless(session, octets));
      expect(out.toString()).not.toContain('time_');
    }
  });

  it('has none in JSON, compiled or not', () => {
    const session = createSession();
    for (const compileAfter of [0, 1000]) {
      const writer = new JsonWriter({ compileAfter });
      const keys = [timeless(session), dissect(PACKET, { session })].map((frame) => {
        const out = new TextBuffer();
        writer.write(out, frame);
        return Object.keys((JSON.parse(out.toString()) as { frame: object }).frame).filter((key) => key.startsWith('time'));
      });
      expect(keys).toEqual([[], ['time', 'time_epoch']]);
    }
  });

  it.each<TimeFormat>(['r', 'd', 'dd', 'a', 'ad', 'u', 'ud', 'e'])('leaves its column empty (-t %s)', (time) => {
    const out = new TextBuffer();
    const lines = new LineWriter({ ...LINE_DEFAULTS, time, look: 0 });
    lines.write(out, timeless(createSession()));
    expect(out.toString()).toMatch(/^\s*1\s+02:00:00:00:00:02 → /);
  });
});

describe('What stands before a frame tells its direction', () => {
  const SENT = '0';
  const RECEIVED = '1';
  it.each([
    ['PPP', 204, '00 | ff030021', RECEIVED],
    ['PPP', 204, '01 | ff030021', SENT],
    ['MTP2', 139, '00 000001 | 0102', RECEIVED],
    ['MTP2', 139, '01 000001 | 0102', SENT],
    ['LAPD', 177, '0000 0001 0006 0000000000000000 0030 | 00017f', RECEIVED],
    ['LAPD', 177, '0003 0001 0006 0000000000000000 0030 | 00017f', SENT],
    ['LAPD', 177, '0004 0001 0006 0000000000000000 0030 | 00017f', SENT],
    ['Bluetooth', 201, '00000000 | 040e0401030c00', SENT],
    ['Bluetooth', 201, '00000001 | 040e0401030c00', RECEIVED],
    ['PPP, cut before that', 204, '', ''],
    ['SunATM', 123, '80 000005 | aaaa', ''],
  ])('%s (%i): %s', (_name, linkType, octets, direction) => {
    const record = new CaptureRecord();
    record.bytes = hex(octets);
    record.captured = record.wireLength = record.bytes.length;
    record.interface = { ...record.interface, linkType, pseudoHeader: pseudoHeaderLength(linkType) };
    const frame = createSession().dissect(record);
    expect(values(frame, 'frame.p2p_dir')).toBe(direction);
    for (const compileAfter of [0, 1000]) {
      const out = new TextBuffer();
      new JsonWriter({ compileAfter }).write(out, frame);
      const { frame: told } = JSON.parse(out.toString()) as { frame: { p2p_dir?: number } };
      expect(told.p2p_dir?.toString() ?? '').toBe(direction);
    }
    // What was noted of the packet goes before.
    record.notes = { flags: 1 };
    expect(values(createSession().dissect(record), 'frame.p2p_dir')).toBe(RECEIVED);
  });
});
