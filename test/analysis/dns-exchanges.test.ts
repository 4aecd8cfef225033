import { describe, expect, it } from 'vitest';
import { DnsExchanges } from '../../src/analysis/dns-exchanges.js';
import { createSession } from '../../src/frames.js';
import { dissect, values } from '../packets.js';
import { ASK, answer, datagram, type Endpoints, question, REPLY } from './dns-messages.js';

const FIELDS = ['dns.response_to', 'dns.time', 'dns.retransmit_request_in', 'dns.retransmit_response_in', 'dns.unsolicited'] as const;

/** What each message of a talk is told, as one text a message. */
function told(talk: readonly (readonly [seconds: number, message: string, endpoints: Endpoints])[]): string[] {
  const session = createSession();
  return talk.map(([time, message, endpoints]) => {
    const seconds = Math.floor(time);
    const frame = dissect(datagram(message, endpoints), { session, seconds, nanoseconds: Math.round((time - seconds) * 1e9) });
    const texts = FIELDS.flatMap((name) => {
      const text = values(frame, name);
      return text === '' ? [] : [`${name.slice(4)} ${text}`];
    });
    if (values(frame, 'dns.retransmission') !== '' && !texts.some((text) => text.startsWith('retransmit_')))
      texts.push('retransmission alone');
    return texts.join(', ');
  });
}

const OTHER_PORT = { ...ASK, srcPort: 40001 };
const OTHER_SERVER = { ...REPLY, from: 54 };
const MULTICAST = { from: 1, to: 251, srcPort: 5353, dstPort: 5353 };

describe('dns exchanges', () => {
  it.each<[string, Parameters<typeof told>[0], string[]]>([
    [
      'a question and its answer',
      [
        [0, question(1), ASK],
        [0.0121, answer(1), REPLY],
      ],
      ['', 'response_to 1, time 0.012100000'],
    ],
    [
      'an answer with another id',
      [
        [0, question(2), ASK],
        [1, answer(77), REPLY],
      ],
      ['', 'unsolicited 1'],
    ],
    [
      'a question asked again soon, and late',
      [
        [0, question(1), ASK],
        [4.999, question(1), ASK],
        [5, question(1), ASK],
        [6, answer(1), REPLY],
        [7, answer(1), REPLY],
      ],
      ['', 'retransmit_request_in 1', '', 'response_to 3, time 1.000000000', 'retransmit_response_in 4'],
    ],
    [
      'a zone, in as many messages as it needs',
      [
        [0, question(1, 'x.test', 252), ASK],
        [1, answer(1), REPLY],
        [2, answer(1), REPLY],
        [3, question(1, 'x.test', 1), ASK],
        [4, answer(1), REPLY],
        [5, answer(1), REPLY],
      ],
      [
        '',
        'response_to 1, time 1.000000000',
        'response_to 1, time 2.000000000',
        '',
        'response_to 4, time 1.000000000',
        'retransmit_response_in 5',
      ],
    ],
    [
      'another port',
      [
        [0, question(1), ASK],
        [1, question(1), OTHER_PORT],
        [2, answer(1), REPLY],
      ],
      ['', '', 'response_to 1, time 2.000000000'],
    ],
    [
      'an id used again for another name',
      [
        [0, question(1), ASK],
        [1, answer(1), REPLY],
        [1.5, question(1, 'b'), ASK],
        [2, answer(1, 'b'), REPLY],
      ],
      ['', 'response_to 1, time 1.000000000', '', 'response_to 3, time 0.500000000'],
    ],
    [
      'answers out of order',
      [
        [0, question(1), ASK],
        [1, question(2), ASK],
        [2, answer(2), REPLY],
        [3, answer(1), REPLY],
      ],
      ['', '', 'response_to 2, time 1.000000000', 'response_to 1, time 3.000000000'],
    ],
    [
      'an answer from elsewhere',
      [
        [0, question(1), ASK],
        [1, answer(1), OTHER_SERVER],
      ],
      ['', 'unsolicited 1'],
    ],
    [
      'multicast: asked again, then answered by the asker itself',
      [
        [0, question(0, 'h'), MULTICAST],
        [1, question(0, 'h'), MULTICAST],
        [2, answer(0, 'h'), MULTICAST],
      ],
      ['', 'retransmit_request_in 1', 'response_to 1, time 2.000000000'],
    ],
  ])('%s', (_what, talk, expected) => {
    expect(told(talk)).toEqual(expected);
  });

  it('says how long an answer took at the end of its line', () => {
    const session = createSession();
    dissect(datagram(question(1), ASK), { session });
    const frame = dissect(datagram(answer(1), REPLY), { session, nanoseconds: 12_100_000 });
    expect(frame.info).toBe('Standard query response 0x0001 A a A 1.2.3.4 · 12.1 ms after #1');
  });

  it('forgets the oldest when there are too many', () => {
    const session = createSession();
    const exchanges = new DnsExchanges();
    session.hooks.dns = (frame, dns) => exchanges.see(frame, dns as Parameters<DnsExchanges['see']>[1]);
    const ask = datagram(question(1), ASK);
    const talk = (octets: Uint8Array, port: number) => {
      const { buffer } = octets;
      // Ports 0 to 69 999 of a client, and of another one.
      const isAnswer = octets !== ask;
      new DataView(buffer).setUint8(isAnswer ? 33 : 29, 1 + Math.floor(port / 65_536));
      new DataView(buffer).setUint16(isAnswer ? 36 : 34, port & 0xffff);
      return dissect(octets, { session });
    };
    for (let i = 0; i < 70_000; i++) talk(ask, i);
    expect(exchanges.held).toBe(70_000 - 32_768);
    const reply = datagram(answer(1), REPLY);
    const unsolicited = [0, 32_767, 32_768, 69_999].map((port) => values(talk(reply, port), 'dns.unsolicited'));
    expect(unsolicited).toEqual(['1', '1', '', '']);
  });
});
