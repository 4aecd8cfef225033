/** tcp.analysis.* rule by rule. Times in milliseconds; the numbers of all streams start at 1000 (client) and 5000 (server). */
import { describe, expect, test } from 'vitest';
import { HANDSHAKE, run, value } from './run.js';

const FLAGS = [
  'retransmission',
  'fast_retransmission',
  'spurious_retransmission',
  'out_of_order',
  'lost_segment',
  'ack_lost_segment',
  'duplicate_ack',
  'keep_alive',
  'keep_alive_ack',
  'zero_window',
  'zero_window_probe',
  'zero_window_probe_ack',
  'window_update',
  'window_full',
  'reused_ports',
];
const NUMBERS = [
  'acks_frame',
  'ack_rtt',
  'rto',
  'rto_frame',
  'bytes_in_flight',
  'push_bytes_sent',
  'duplicate_ack_num',
  'duplicate_ack_frame',
];

/** What tcp.analysis says of the last `count` frames, leaving out initial_rtt. */
function analysis(lines: readonly string[], count: number): string[] {
  const frames = run([...HANDSHAKE, ...lines]);
  return frames.slice(-count).map((frame) => {
    const found = FLAGS.filter((name) => value(frame, `tcp.analysis.${name}`) !== '');
    for (const name of NUMBERS) {
      const text = value(frame, `tcp.analysis.${name}`).replace(/(\.\d*?)0+$/, '$1');
      if (text !== '') found.push(`${name}=${text}`);
    }
    return found.join(' ');
  });
}

const data = (seq: number, length = 100) => `seq=${1000 + seq} ack=5001 win=502 len=${length}`;
const acks = (ack: number, rest = 'win=510') => `A seq=5001 ack=${1000 + ack} ${rest}`;

test('a handshake, data and a close: relative numbers, windows, completeness, round trips', () => {
  const frames = run([
    ...HANDSHAKE,
    `20 > PA ${data(1)}`,
    `30 < ${acks(101)}`,
    '40 > FA seq=1101 ack=5001 win=502',
    '50 < FA seq=5001 ack=1102 win=510',
    '51 > A seq=1102 ack=5002 win=502',
  ]);
  const rows = frames.map((frame) =>
    [
      'seq',
      'nxtseq',
      'ack',
      'len',
      'window_size',
      'window_size_scalefactor',
      'completeness',
      'time_relative',
      'time_delta',
      'analysis.acks_frame',
    ]
      .map((name) => value(frame, `tcp.${name}`))
      .join(' '),
  );
  expect(rows).toEqual([
    '0 1 0 0 64240  0 0.000000000 0.000000000 ',
    '0 1 1 0 65160  1 0.009950000 0.009950000 1',
    '1 1 1 0 64256 128 3 0.010000000 0.000050000 2',
    '1 101 1 100 64256 128 7 0.020000000 0.010000000 ',
    '1 1 101 0 130560 256 15 0.030000000 0.010000000 4',
    '101 102 1 0 64256 128 15 0.040000000 0.010000000 ',
    '1 2 102 0 130560 256 31 0.050000000 0.010000000 6',
    '102 102 2 0 64256 128 31 0.051000000 0.001000000 7',
  ]);
  expect(frames.map((frame) => value(frame, 'tcp.analysis.initial_rtt'))).toEqual([
    '',
    '',
    '0.010000000',
    '0.010000000',
    '0.010000000',
    '',
    '0.010000000',
    '0.010000000',
  ]);
  expect(value(frames[5]!, 'tcp.connection.fin_active')).toBe('1');
  expect(value(frames[6]!, 'tcp.connection.fin_passive')).toBe('1');
});

describe('tcp.analysis', () => {
  test.each<[string, string[], string[]]>([
    [
      'a repeat after a timeout; its ACK counts from the first copy',
      [`20 > PA ${data(1)}`, `320 > PA ${data(1)}`, `330 < ${acks(101)}`],
      [
        'bytes_in_flight=100 push_bytes_sent=100',
        'retransmission rto=0.3 rto_frame=4 bytes_in_flight=100 push_bytes_sent=100',
        'acks_frame=4 ack_rtt=0.31',
      ],
    ],
    [
      'a copy of an older segment within the initial round trip is out of order, one that ends at the edge is not',
      [`20 > A ${data(1)}`, `21 > PA ${data(101)}`, `21.005 > A ${data(1)}`, `21.01 > PA ${data(101)}`],
      [
        'bytes_in_flight=100 push_bytes_sent=100',
        'bytes_in_flight=200 push_bytes_sent=200',
        'out_of_order bytes_in_flight=200 push_bytes_sent=100',
        'retransmission rto=0.00101 rto_frame=4 bytes_in_flight=200 push_bytes_sent=200',
      ],
    ],
    [
      'a hole, filled before and after the initial round trip',
      [`20 > PA ${data(101)}`, `29.999 > A ${data(1)}`, `40 > PA ${data(301)}`, `50 > A ${data(201)}`],
      ['lost_segment', 'out_of_order', 'lost_segment', 'retransmission rto=0.03 rto_frame=4'],
    ],
    [
      'duplicate ACKs and the fast retransmission they bring, up to 20 ms',
      [
        `20 > A ${data(1)}`,
        `20.1 > A ${data(101)}`,
        `30 < ${acks(101)}`,
        `30.1 < ${acks(101)}`,
        `30.2 < ${acks(101)}`,
        `50.1 > A ${data(101)}`,
        `60 < ${acks(101)}`,
        `80 > A ${data(101)}`,
      ],
      [
        'bytes_in_flight=100 push_bytes_sent=100',
        'bytes_in_flight=200 push_bytes_sent=200',
        'acks_frame=4 ack_rtt=0.01',
        'duplicate_ack duplicate_ack_num=1 duplicate_ack_frame=6',
        'duplicate_ack duplicate_ack_num=2 duplicate_ack_frame=6',
        'retransmission fast_retransmission bytes_in_flight=100 push_bytes_sent=300',
        'duplicate_ack duplicate_ack_num=3 duplicate_ack_frame=6',
        'retransmission rto=0.0599 rto_frame=5 bytes_in_flight=100 push_bytes_sent=400',
      ],
    ],
    [
      'what was acknowledged is sent again in vain',
      [`20 > PA ${data(1)}`, `30 < ${acks(101)}`, `320 > PA ${data(1)}`],
      [
        'bytes_in_flight=100 push_bytes_sent=100',
        'acks_frame=4 ack_rtt=0.01',
        'retransmission spurious_retransmission bytes_in_flight=100 push_bytes_sent=100',
      ],
    ],
    [
      'an ACK of what was not captured is noticed once',
      [`20 < ${acks(501)}`, `21 < ${acks(501, 'win=509')}`, `22 > PA ${data(501)}`],
      ['ack_lost_segment', 'window_update', 'lost_segment'],
    ],
    [
      'keep-alives and their answers; after data the answer is a duplicate',
      [
        `20 > PA ${data(1)}`,
        `30 < ${acks(101)}`,
        '10030 > A seq=1100 ack=5001 win=502',
        `10040 < ${acks(101)}`,
        '20030 > A seq=1100 ack=5001 win=502 len=1',
        `20040 < ${acks(101)}`,
      ],
      [
        'bytes_in_flight=100 push_bytes_sent=100',
        'acks_frame=4 ack_rtt=0.01',
        'keep_alive',
        'keep_alive_ack',
        'keep_alive bytes_in_flight=1 push_bytes_sent=1',
        'keep_alive_ack acks_frame=8 ack_rtt=0.01',
      ],
    ],
    [
      'a closed window, a probe, its answer and the opening',
      [
        '20 < PA seq=5001 ack=1001 win=510 len=100',
        '21 > A seq=1001 ack=5101 win=0',
        '220 < A seq=5101 ack=1001 win=510 len=1',
        '221 > A seq=1001 ack=5101 win=0',
        '700 > A seq=1001 ack=5101 win=300',
      ],
      [
        'bytes_in_flight=100 push_bytes_sent=100',
        'zero_window acks_frame=4 ack_rtt=0.001',
        'zero_window_probe bytes_in_flight=1 push_bytes_sent=1',
        'zero_window zero_window_probe_ack',
        'window_update',
      ],
    ],
    [
      'the scaled window filled to the octet',
      [`20 < ${acks(1, 'win=2')}`, `21 > A ${data(1, 511)}`, `22 > PA ${data(512, 1)}`],
      ['window_update', 'bytes_in_flight=511 push_bytes_sent=511', 'window_full bytes_in_flight=512 push_bytes_sent=512'],
    ],
    [
      'bytes in flight without what SACK reports',
      [
        `20 > A ${data(1)}`,
        `21 > A ${data(101)}`,
        `22 > A ${data(201)}`,
        `23 < ${acks(101, 'win=510 opt=0101050a000004b100000515')}`,
        `24 > A ${data(301)}`,
      ],
      [
        'bytes_in_flight=100 push_bytes_sent=100',
        'bytes_in_flight=200 push_bytes_sent=200',
        'bytes_in_flight=300 push_bytes_sent=300',
        'acks_frame=4 ack_rtt=0.003',
        'bytes_in_flight=200 push_bytes_sent=400',
      ],
    ],
    [
      'a SYN with another number begins anew',
      ['60000 > S seq=9000 win=64240', '60010 < SA seq=7000 ack=9001 win=65160'],
      ['reused_ports', 'acks_frame=4 ack_rtt=0.01'],
    ],
  ])('%s', (_title, lines, expected) => {
    expect(analysis(lines, lines.length)).toEqual(expected);
  });
});

test('numbers wrap', () => {
  const frames = run([
    '0 > S seq=4294967290 win=1000',
    '1 < SA seq=4294967280 ack=4294967291 win=1000',
    '2 > A seq=4294967291 ack=4294967281 win=1000',
    '3 > PA seq=4294967291 ack=4294967281 win=1000 len=100',
    '4 < PA seq=4294967281 ack=95 win=1000 len=20',
    '5 > PA seq=95 ack=5 win=1000 len=10',
  ]);
  expect(frames.map((frame) => `${value(frame, 'tcp.seq')} ${value(frame, 'tcp.ack')} ${value(frame, 'tcp.analysis.flags')}`)).toEqual([
    '0 0 ',
    '0 1 ',
    '1 1 ',
    '1 1 ',
    '1 101 ',
    '101 21 ',
  ]);
  expect(value(frames[5]!, 'netlens.tcp.missing')).toBe('');
});

test('D-SACK edges are relative to the stream they acknowledge', () => {
  const [frame] = run([...HANDSHAKE, `20 > PA ${data(1)}`, `30 < ${acks(101, 'win=510 opt=0101050a000003e90000044d')}`]).slice(-1);
  for (const [name, text] of [
    ['sack_le', '1'],
    ['sack_re', '101'],
    ['sack.count', '1'],
    ['sack.dsack_le', '1'],
    ['sack.dsack_re', '101'],
    ['sack.dsack', '1'],
  ])
    expect(value(frame!, `tcp.options.${name}`)).toBe(text);
  expect(frame!.info).toContain('SLE=1 SRE=101');
});
