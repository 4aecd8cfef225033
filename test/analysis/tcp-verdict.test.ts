/** What really happened, and how the Info column says it. Times in milliseconds. */
import { describe, expect, test } from 'vitest';
import { HANDSHAKE, run, value } from './run.js';

const C = (seq: number, length = 100, rest = '') => `seq=${1000 + seq} ack=5001 win=502 len=${length} ${rest}`;
const ack = (n: number, rest = '') => `A seq=5001 ack=${1000 + n} win=510 ${rest}`;
const sack = (...edges: number[]) =>
  `opt=0101${'05'}${(2 + 4 * edges.length).toString(16).padStart(2, '0')}${edges.map((n) => (1000 + n).toString(16).padStart(8, '0')).join('')}`;
/** Time stamps: own and echoed. */
const stamps = (own: number, echo: number) => `opt=0101080a${own.toString(16).padStart(8, '0')}${echo.toString(16).padStart(8, '0')}`;

/** Kind, frame repeated, seconds after it, timeout number and evidence of the last frame. */
function repeat(lines: readonly string[]): string {
  const frame = run([...HANDSHAKE, ...lines]).at(-1)!;
  return ['kind', 'of', 'after', 'timeout', 'evidence']
    .map((name) => value(frame, `netlens.tcp.repeat.${name}`).replace(/(\.\d*?)0+$/, '$1'))
    .filter((text) => text !== '')
    .join(' | ');
}

describe('repeats', () => {
  test('timeouts in a row are numbered', () => {
    const slow = run([...HANDSHAKE, ...[20, 240, 680].map((ms) => `${ms} > PA ${C(1)}`)]);
    expect(slow.slice(4).map((frame) => frame.info.split(' · ')[0])).toEqual([
      'retransmission of #4 after 220 ms (timeout 1)',
      'retransmission of #5 after 440 ms (timeout 2)',
    ]);
  });

  const burst = [1, 101, 201, 301, 401].map((seq, i) => `${20 + i / 10} > A ${C(seq)}`);

  test.each<[string, string[], string]>([
    [
      'three duplicate ACKs',
      [...burst, `30 < ${ack(101)}`, `30.1 < ${ack(101)}`, `30.2 < ${ack(101)}`, `30.3 < ${ack(101)}`, `30.4 > A ${C(101)}`],
      'fast | 5 | 0.0103 | 3 duplicate ACKs of #9',
    ],
    [
      'the next hole of the same repair, by SACK',
      [
        ...burst,
        `30 < ${ack(101)}`,
        `30.1 < ${ack(101, sack(301, 401))}`,
        `30.2 < ${ack(101, sack(301, 501))}`,
        `30.3 > A ${C(101)}`,
        `30.4 > A ${C(201)}`,
      ],
      'sack | 6 | 0.0102 | SACK in #11 of octets beyond it',
    ],
    ['acknowledged before', [`20 > PA ${C(1)}`, `30 < ${ack(101)}`, `320 > PA ${C(1)}`], 'spurious | 4 | 0.3 | acknowledged in #5 before'],
    [
      'reported by SACK before',
      [...burst, `30 < ${ack(101)}`, `30.1 < ${ack(101, sack(301, 401))}`, `240 > A ${C(301)}`],
      'spurious | 7 | 0.2197 | reported by SACK in #10 before',
    ],
    [
      'the last segment, sooner than a timeout could be',
      [...burst, `30 < ${ack(401)}`, `50 > A ${C(401)}`],
      'tlp | 8 | 0.0296 | the last segment sent, 29.6 ms without an ACK, before a timeout could be',
    ],
    [
      'what follows a timeout',
      [...burst, `240 > A ${C(1)}`, `250 < ${ack(101)}`, `250.1 > A ${C(101)}`],
      'timeout | 5 | 0.23 | follows the timeout of #9',
    ],
    [
      'the same packet twice in the capture',
      [`20 > PA ${C(1, 100, 'id=7')}`, `20.005 > PA ${C(1, 100, 'id=7')}`],
      'duplicate-capture | 4 | 0.000005 | same IP identification and checksum',
    ],
    [
      'a repeat has an identification of its own',
      [`20 > PA ${C(1, 100, 'id=7')}`, `230 > PA ${C(1, 100, 'id=8')}`],
      'timeout | 4 | 0.21 | 1 | 220 ms since the receiver was heard',
    ],
    [
      'a keep-alive',
      [`20 > PA ${C(1)}`, `30 < ${ack(101)}`, '10030 > A seq=1100 ack=5001 win=502'],
      'keep-alive | 4 | 10.01 | one octet back, all acknowledged, after 10 s of silence',
    ],
    [
      'a FIN that comes again is no keep-alive',
      ['20 > FA seq=1001 ack=5001', '30 < A seq=5001 ack=1002', '10030 > FA seq=1001 ack=5001'],
      'spurious | 4 | 10.01 | acknowledged in #5 before',
    ],
    [
      'a single octet that was lost is no keep-alive',
      [`20 > PA ${C(1, 1)}`, `320 > PA ${C(1, 1)}`],
      'timeout | 4 | 0.3 | 1 | 310 ms since the receiver was heard',
    ],
    [
      'not captured, then sent again: a later time stamp',
      [`20 > PA ${C(1, 100, stamps(100, 1))}`, `21 > PA ${C(201, 100, stamps(101, 1))}`, `240 > PA ${C(101, 100, stamps(320, 1))}`],
      'timeout | 0.219 | not captured before; its time stamp is later than that of #5',
    ],
  ])('%s', (_title, lines, expected) => {
    expect(repeat(lines)).toBe(expected);
  });

  test('SYNs are numbered', () => {
    const frames = run(['0 > S seq=1 win=1000', '1000 > S seq=1 win=1000', '3000 > S seq=1 win=1000']);
    expect(frames[2]!.info).toContain('retransmission of #2 after 2 s (timeout 2)');
    expect(value(frames[2]!, 'netlens.tcp.repeat.kind')).toBe('syn');
    expect(value(frames[2]!, 'netlens.tcp.retransmission')).toBe('1');
  });
});

test('what was overtaken is out of order, whatever the time', () => {
  const frames = run([
    ...HANDSHAKE,
    `20 > PA ${C(101, 100, stamps(101, 1))}`,
    `80 > PA ${C(1, 100, stamps(100, 1))}`,
    `81 > PA ${C(301, 100, 'id=9')}`,
    `95 > PA ${C(201, 100, 'id=8')}`,
  ]);
  expect(value(frames[3]!, 'netlens.tcp.missing')).toBe('100');
  expect(value(frames[4]!, 'netlens.tcp.out_of_order')).toBe('0.060000000');
  expect(value(frames[4]!, 'netlens.tcp.out_of_order.frame')).toBe('4');
  expect(value(frames[4]!, 'netlens.tcp.retransmission')).toBe('');
  expect(frames[4]!.info).toContain('out of order by 60 ms · [');
  expect(value(frames[6]!, 'netlens.tcp.out_of_order.evidence')).toBe('its IP identification comes before that of #6');
});

test('duplicate ACKs need data outstanding', () => {
  const idle = run([...HANDSHAKE, `20 < ${ack(1)}`, `21 < ${ack(1)}`]);
  expect(idle.map((frame) => value(frame, 'netlens.tcp.duplicate_ack')).join('')).toBe('');
  expect(value(idle[4]!, 'tcp.analysis.duplicate_ack')).toBe('1');
  const busy = run([...HANDSHAKE, `20 > A ${C(1)}`, `21 > A ${C(101)}`, `30 < ${ack(101)}`, `31 < ${ack(101)}`, `32 < ${ack(101)}`]);
  expect(busy.slice(-2).map((frame) => frame.info.split(' · ')[0])).toEqual(['duplicate ACK 1 of #6', 'duplicate ACK 2 of #6']);
});

test('D-SACK and time stamps show what was sent in vain', () => {
  const dsack = run([...HANDSHAKE, `20 > PA ${C(1)}`, `250 > PA ${C(1)}`, `251 < ${ack(101)}`, `252 < ${ack(101, sack(1, 101))}`]);
  expect(value(dsack[6]!, 'netlens.tcp.needless')).toBe('5');
  expect(value(dsack[6]!, 'netlens.tcp.needless.evidence')).toBe('D-SACK: it came twice');
  expect(dsack[6]!.info).toContain('#5 was sent in vain');
  const eifel = run([
    ...HANDSHAKE,
    `20 > PA ${C(1, 100, stamps(100, 1))}`,
    `250 > PA ${C(1, 100, stamps(330, 1))}`,
    `251 < ${ack(101, stamps(900, 100))}`,
  ]);
  expect(value(eifel[5]!, 'netlens.tcp.needless')).toBe('5');
});

test('the Info column names the handshake, windows and resets', () => {
  const frames = run([
    ...HANDSHAKE,
    '20 < PA seq=5001 ack=1001 win=510 len=100',
    '21 > A seq=1001 ack=5101 win=0',
    '700 > A seq=1001 ack=5101 win=300',
    '800 < R seq=5101 ack=0 win=0',
  ]);
  expect(frames.map((frame) => frame.info)).toEqual([
    '[SYN] Seq=0 Win=64240 Len=0 MSS=1460 SACK_PERM WS=128',
    '[SYN, ACK] Seq=0 Ack=1 Win=65160 Len=0 MSS=1460 SACK_PERM WS=256',
    'handshake 10 ms · [ACK] Seq=1 Ack=1 Win=64256 Len=0',
    '[PSH, ACK] Seq=1 Ack=1 Win=130560 Len=100',
    'zero window · [ACK] Seq=1 Ack=101 Win=0 Len=0',
    'window update · [ACK] Seq=1 Ack=101 Win=38400 Len=0',
    'reset, after an ACK in #6 · [RST] Seq=101 Win=0 Len=0',
  ]);
});
