import { describe, expect, test } from 'vitest';
import { type Conversation, Conversations, directionOf } from '../../src/analysis/conversations.js';
import { CaptureRecord } from '../../src/capture/source.js';
import { Registry } from '../../src/core/registry.js';
import { Session } from '../../src/core/session.js';
import { PROTOCOLS } from '../../src/dissectors/index.js';
import { Tcp } from '../../src/dissectors/tcp.js';
import { RAW_IP, segment } from './segments.js';

function follow(conversations: Conversations) {
  const session = new Session({
    registry: new Registry(PROTOCOLS),
    hooks: {
      tcpHeader: (frame, layer, sized) => {
        (layer as Tcp).direction = conversations.of(frame, layer, sized);
      },
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

  test('a flood of SYNs pushes out its own kind alone', () => {
    const conversations = new Conversations({ answered: 100, unanswered: 50, restful: 1000, idleSeconds: 60 });
    const add = follow(conversations);
    const kept = add(segment('192.0.2.1:40000 > 192.0.2.2:80 S seq=1'));
    add(segment('192.0.2.2:80 > 192.0.2.1:40000 SA seq=1 ack=2'));
    for (let i = 0; i < 5000; i++) add(segment(`198.51.100.${i & 255}:${1024 + i} > 192.0.2.2:80 S seq=${i}`));
    expect(conversations.live).toBe(51);
    expect(conversations.evicted).toBe(4950);
    expect(conversations.count).toBe(5001);
    expect(add(segment('192.0.2.1:40000 > 192.0.2.2:80 A seq=2 ack=2'))).toBe(kept);
    expect([...conversations].length).toBe(51);
  });

  test('what is idle for long goes when there is much', () => {
    const conversations = new Conversations({ answered: 100, unanswered: 50, restful: 2, idleSeconds: 60 });
    const add = follow(conversations);
    for (let port = 1; port <= 3; port++) add(segment(`192.0.2.1:${port} > 192.0.2.2:80 S seq=1`), 10 * port);
    add(segment('192.0.2.1:4 > 192.0.2.2:80 S seq=1'), 85);
    expect(conversations.evicted).toBe(2);
    expect(add(segment('192.0.2.1:3 > 192.0.2.2:80 S seq=1'), 86).conversation.number).toBe(2);
    expect(add(segment('192.0.2.1:1 > 192.0.2.2:80 S seq=1'), 86).conversation.number).toBe(4);
  });
});
