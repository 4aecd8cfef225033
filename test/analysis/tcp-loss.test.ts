/** A transfer over a lossy link: what netlens calls sent again must be what the sender's kernel counted (fixtures/tcp-loss.sh). */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { recordOf } from '../../src/analysis/conversation-record.js';
import { directionOf } from '../../src/analysis/conversations.js';
import { Tcp } from '../../src/dissectors/tcp.js';
import { open } from '../../src/frames.js';

test('the count of segments sent again is the kernel’s, and none is called out of order', async () => {
  const kernel = Number(readFileSync('fixtures/tcp-loss.kernel', 'utf8'));
  let resent = 0;
  let late = 0;
  let last: Tcp | undefined;
  for await (const frame of open('fixtures/tcp-loss.pcap')) {
    last = frame.get(Tcp)!;
    if (last.resent) resent++;
    if (last.late !== undefined) late++;
  }
  expect(kernel).toBeGreaterThan(5);
  expect(resent).toBe(kernel);
  expect(late).toBe(0);
  const record = recordOf(directionOf(last!)!.conversation);
  expect(record.client).toMatchObject({ retransmissions: kernel, fresh: 500_000, missing: 0, reordered: 0 });
  expect(record.ended).toBe('closed by client, TIME-WAIT at client');
});
