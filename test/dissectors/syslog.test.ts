import { describe, expect, it } from 'vitest';
import type { Frame } from '../../src/core/frame.js';
import { Syslog } from '../../src/dissectors/syslog.js';
import { dissect, everyCut, everyLie, fieldsOf, IPV4, udpMessage } from '../packets.js';
import { octets, Talk } from '../reassembly/talk.js';

const message = (text: string) => udpMessage(40000, 514, octets(text));
const see = (text: string) => dissect(message(text), { linkType: IPV4 });
const MODERN = '<165>1 2003-10-11T22:14:15.003-07:00 host.example app 42 ID47 [a b="c"] It failed';

describe('syslog', () => {
  it('reads all fields of a message of version 1', () =>
    expect(fieldsOf(see(MODERN), 'syslog')).toEqual({
      'syslog.facility': '20',
      'syslog.level': '5',
      'syslog.msg': MODERN.slice(5),
      'syslog.version': '1',
      'syslog.timestamp': 'Oct 12, 2003 05:14:15.003000000 UTC',
      'syslog.hostname': 'host.example',
      'syslog.appname': 'app',
      'syslog.procid': '42',
      'syslog.msgid': 'ID47',
    }));

  it('reads the old form', () =>
    expect(fieldsOf(see('<34>Oct 11 22:14:15 mymachine su[7]: failed'), 'syslog')).toEqual({
      'syslog.facility': '4',
      'syslog.level': '2',
      'syslog.msg': 'Oct 11 22:14:15 mymachine su[7]: failed',
      'syslog.timestamp_rfc3164': 'Oct 11 22:14:15',
      'syslog.hostname': 'mymachine',
      'syslog.appname': 'su',
      'syslog.procid': '7',
    }));

  it.each([
    ['<0>down', 'KERN.EMERG: down'],
    ['<191>x\n', 'LOCAL7.DEBUG: x\\n'],
    ['<192>too much', '<192>too much'],
    ['no priority', 'no priority'],
  ])('says what %j means', (text, info) => expect(see(text).info).toBe(info));

  it('survives every cut and lie', () => {
    everyCut(message(MODERN), 28, IPV4);
    everyLie(message(MODERN), 28, IPV4);
  });
});

const OLD = '<34>Oct 11 22:14:15 mymachine su: failed';
const counted = (text: string) => `${text.length} ${text}`;
/** Texts of the messages that a frame completes. */
const messages = (frame: Frame) => frame.layers.flatMap((layer) => (layer instanceof Syslog ? [layer.message] : []));

/** What comes out when a stream is sent in pieces of so many octets. */
function inPieces(stream: string, size: number, port = 601): (string | undefined)[] {
  const talk = new Talk(port).open();
  const found: (string | undefined)[] = [];
  for (let at = 0; at < stream.length; at += size) found.push(...messages(talk.client(at, stream.slice(at, at + size))));
  found.push(...messages(talk.send('FA', 'client', stream.length, '')));
  return found;
}

describe('syslog over TCP', () => {
  const [modern, old] = [MODERN.slice(5), OLD.slice(4)];

  it.each([
    ['lengths', counted(MODERN) + counted(OLD), [modern, old]],
    ['line ends', `${MODERN}\n${OLD}\r\n${OLD}\0`, [modern, old, old]],
    ['both, and a line end too many', `${counted(MODERN)}\n${OLD}\n`, [modern, old]],
    ['line ends within a counted message', counted(`${OLD}\nmore`), [`${old}\nmore`]],
    ['a second line without a priority', `${OLD}\n3 times\n${OLD}\n`, [old, '3 times', old]],
    ['no line end at the end', `${OLD}\n${OLD}`, [old, old]],
  ])('tells messages apart by %s, however they are cut into segments', (_, stream, expected) => {
    for (const size of [1, 7, 50, 10_000]) expect(inPieces(stream, size)).toEqual(expected);
  });

  it('shows the length', () =>
    expect(fieldsOf(new Talk(514).open().client(0, counted(OLD)), 'syslog')).toMatchObject({
      'netlens.syslog.length': '40',
      'syslog.facility': '4',
      'syslog.appname': 'su',
    }));

  it('is recognised on any port, and what else is spoken on its own is left alone', () => {
    expect(inPieces(`${OLD}\n`, 1000, 5140)).toEqual([old]);
    expect(inPieces(counted(MODERN), 1000, 5140)).toEqual([modern]);
    for (const other of ['1022\0root\0root\0ls\0', 'GET / HTTP/1.1\r\n\r\n', '<html>\n', '<999>x\n', '9999999 <34>1 2003 x', '0 <34>x\n'])
      for (const size of [1, 1000]) expect(inPieces(other, size, 514)).toEqual([]);
  });

  it('goes on after octets that were lost, and shows the beginning of a message whose rest was', () => {
    const talk = new Talk(601).open();
    const lines = `${OLD}\n`.repeat(6);
    expect(messages(talk.client(0, lines.slice(0, 60)))).toEqual([old]);
    // The server has what the capture lacks.
    talk.server(0, '', 150);
    const later = [talk.client(150, lines.slice(150)), talk.send('FA', 'client', lines.length, '')].flatMap(messages);
    expect(later.filter((text) => text === old).length).toBeGreaterThanOrEqual(2);
  });

  it('reads a long line once, and gives up one without an end', () => {
    const talk = new Talk(601).open();
    const piece = 'x'.repeat(1400);
    const began = performance.now();
    talk.client(0, OLD);
    for (let i = 0; i < 1500; i++) talk.client(OLD.length + i * piece.length, piece);
    expect(performance.now() - began).toBeLessThan(5000);
  });
});
