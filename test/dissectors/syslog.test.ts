import { describe, expect, it } from 'vitest';
import { dissect, everyCut, everyLie, fieldsOf, IPV4, udpMessage } from '../packets.js';
import { octets } from '../reassembly/talk.js';

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
