import { describe, expect, test } from 'vitest';
import { type Conversation, Conversations, directionOf } from '../../src/analysis/conversations.js';
import { TcpAnalysis } from '../../src/analysis/tcp.js';
import { CaptureRecord } from '../../src/capture/source.js';
import { Registry } from '../../src/core/registry.js';
import { Session } from '../../src/core/session.js';
import { PROTOCOLS } from '../../src/dissectors/index.js';
import { Tcp } from '../../src/dissectors/tcp.js';
import { createSession } from '../../src/frames.js';
import { values } from '../packets.js';
import { RAW_IP, segment } from './segments.js';

function follow(conversations: Conversations) {
  const analysis = new TcpAnalysis(conversations);
  const session = new Session({
    registry: new Registry(PROTOCOLS),
    hooks: {
      tcpHeader: (frame, layer, sized) => analysis.header(frame, layer as Tcp, sized),
    },
  });
  return (octets: Uint8Array, seconds = 0) => {
    const record = new CaptureRecord();
    record.bytes = octets;
    record.captured = record.wireLength = octets.length;
    record.seconds = seconds;
    record.interface = RAW_IP;
    const direction = directionOf(session.dissect(record).get(Tcp)!)!;
    return direction;
  };
}

describe('conversations', () => {
  test('both ways are one conversation, and ports decide where addresses are equal', () => {
    const add = follow(new Conversations());
    const there = add(segment('192.0.2.1:40000 > 192.0.2.2:80 S seq=100'));
    const back = add(segment('192.0.2.2:80 > 192.0.2.1:40000 SA seq=900 ack=101'));
    expect(there.conversation.number).toBe(0);
    expect(back).toBe(there.peer);
    expect([there.base, back.base]).toEqual([100, 900]);
    expect(there.conversation.client).toBe(there);
    expect([there.source, there.srcPort, there.destination, there.dstPort]).toEqual(['192.0.2.1', 40000, '192.0.2.2', 80]);
    const self = add(segment('192.0.2.9:5 > 192.0.2.9:6 A seq=7 ack=9'));
    expect(add(segment('192.0.2.9:6 > 192.0.2.9:5 A seq=9 ack=7'))).toBe(self.peer);
    expect([self.base, self.peer.base]).toEqual([6, 8]);
    expect(self.conversation.number).toBe(1);
  });

  test('a SYN with another sequence number begins a new one; late segments belong to it', () => {
    const conversations = new Conversations();
    const over: Conversation[] = [];
    conversations.ended = (conversation) => over.push(conversation);
    const add = follow(conversations);
    add(segment('192.0.2.1:40000 > 192.0.2.2:80 S seq=100'));
    expect(add(segment('192.0.2.1:40000 > 192.0.2.2:80 S seq=100')).conversation.number).toBe(0);
    const second = add(segment('192.0.2.1:40000 > 192.0.2.2:80 S seq=4294967295'));
    expect(second.conversation).toMatchObject({ number: 1, reused: true, reusedAt: 3 });
    expect(second.base).toBe(-1);
    expect(add(segment('192.0.2.2:80 > 192.0.2.1:40000 A seq=5 ack=101')).conversation.number).toBe(1);
    expect(over.map((c) => c.number)).toEqual([0]);
  });

  test.each([
    [10_000, 5001],
    [100, 151],
  ])('a flood of SYNs pushes out its own kind alone (%i shelved)', (shelved, most) => {
    const conversations = new Conversations({ answered: 100, unanswered: 50, shelved, restful: 1000, idleSeconds: 60 });
    const over: Conversation[] = [];
    conversations.ended = (conversation) => over.push(conversation);
    const add = follow(conversations);
    const kept = add(segment('192.0.2.1:40000 > 192.0.2.2:80 S seq=1'));
    add(segment('192.0.2.2:80 > 192.0.2.1:40000 SA seq=1 ack=2'));
    for (let i = 0; i < 5000; i++) add(segment(`198.51.100.${i & 255}:${1024 + i} > 192.0.2.2:80 S seq=${i}`));
    expect(conversations.live).toBeLessThanOrEqual(most);
    expect(conversations.live + conversations.evicted).toBe(5001);
    expect(over.length).toBe(conversations.evicted);
    expect(conversations.count).toBe(5001);
    expect(add(segment('192.0.2.1:40000 > 192.0.2.2:80 A seq=2 ack=2'))).toBe(kept);
    expect([...conversations].length).toBe(conversations.live);
    const last = add(segment('192.0.2.2:80 > 198.51.100.135:6023 SA seq=1 ack=5000'));
    expect([last.conversation.number, last.peer.base]).toEqual([5000, 4999]);
  });

  test('what is idle for long goes when there is much', () => {
    const conversations = new Conversations({ answered: 100, unanswered: 50, shelved: 0, restful: 2, idleSeconds: 60 });
    const add = follow(conversations);
    for (let port = 1; port <= 3; port++) add(segment(`192.0.2.1:${port} > 192.0.2.2:80 S seq=1`), 10 * port);
    add(segment('192.0.2.1:4 > 192.0.2.2:80 S seq=1'), 85);
    expect(conversations.evicted).toBe(2);
    expect(add(segment('192.0.2.1:3 > 192.0.2.2:80 S seq=1'), 86).conversation.number).toBe(2);
    expect(add(segment('192.0.2.1:1 > 192.0.2.2:80 S seq=1'), 86).conversation.number).toBe(4);
  });
});

test('a SYN answered after a flood finds its conversation as it was', () => {
  const session = createSession();
  const see = (line: string, nanoseconds: number) => {
    const record = new CaptureRecord();
    record.bytes = segment(line);
    record.captured = record.wireLength = record.bytes.length;
    record.seconds = 100;
    record.nanoseconds = nanoseconds;
    record.interface = RAW_IP;
    return session.dissect(record).keep();
  };
  see('192.0.2.1:40000 > 192.0.2.2:80 S seq=4294967290 win=64240 opt=0103030701000000', 0);
  see('192.0.2.1:40000 > 192.0.2.2:80 S seq=4294967290 win=64240 opt=0103030701000000', 500);
  for (let i = 0; i < 2000; i++) see(`198.51.100.${i & 255}:${1024 + i} > 192.0.2.2:80 S seq=${i}`, 600);
  const answer = see('192.0.2.2:80 > 192.0.2.1:40000 SA seq=7 ack=4294967291 win=1000 opt=0103030801000000', 1000);
  const third = see('192.0.2.1:40000 > 192.0.2.2:80 A seq=4294967291 ack=8 win=500', 1500);
  const fields = [
    'tcp.stream',
    'tcp.seq',
    'tcp.ack',
    'tcp.completeness',
    'tcp.analysis.acks_frame',
    'tcp.analysis.ack_rtt',
    'tcp.time_delta',
  ];
  expect(fields.map((name) => values(answer, name))).toEqual(['0', '0', '1', '1', '1', '0.000001000', '0.000000500']);
  expect(values(third, 'tcp.window_size')).toBe('64000');
  expect(values(third, 'tcp.analysis.initial_rtt')).toBe('0.000001000');
  expect(values(third, 'netlens.tcp.handshake')).toBe('0.000001000');
});
