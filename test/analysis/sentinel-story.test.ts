import { describe, expect, it } from 'vitest';
import type { RespConnection, RespTransaction } from '../../src/analysis/resp-transactions.js';
import { hello, sentinelEvent } from '../../src/analysis/sentinel.js';
import { SentinelStory } from '../../src/analysis/sentinel-story.js';

const RUN = 'ab'.repeat(20);

/** A transaction at a second, on a connection to 192.0.2.9:26379. */
function transaction(seconds: number, stream: number, rest: Partial<RespTransaction>): RespTransaction {
  const connection: RespConnection = {
    stream,
    client: '192.0.2.8',
    clientPort: 40_000,
    server: '192.0.2.9',
    serverPort: 26379,
    db: 0,
    queuedDb: undefined,
    version: 2,
  };
  return {
    connection,
    seconds,
    nanoseconds: 0,
    command: '',
    arguments: [],
    reply: undefined,
    event: undefined,
    ...rest,
  } as RespTransaction;
}
const pushed = (seconds: number, channel: string, text: string, stream = 1) =>
  transaction(seconds, stream, { event: sentinelEvent({ type: 'array', value: ['pmessage', '*', channel, text] })! });
const greeted = (seconds: number, epoch: number, port: number) =>
  transaction(seconds, 2, { event: hello(`192.0.2.8,26380,${RUN},${epoch},m,192.0.2.1,${port},${epoch}`)! });

describe('the story of Sentinels', () => {
  it('follows the primary there and back, and is not moved by those who hear of it late', () => {
    const story = new SentinelStory();
    for (const t of [
      greeted(1, 0, 6379),
      pushed(2, '+sdown', 'master m 192.0.2.1 6379'),
      pushed(4, '+switch-master', 'm 192.0.2.1 6379 192.0.2.1 6380'),
      greeted(5, 0, 6379),
      greeted(6, 1, 6380),
      pushed(6, '+switch-master', 'm 192.0.2.1 6379 192.0.2.1 6380', 7),
      pushed(7, '+switch-master', 'm 192.0.2.1 6380 192.0.2.1 6379'),
      pushed(8, '+sdown', 'master m 192.0.2.1 6379'),
    ])
      story.see(t);
    const primary = story.primaries.get('m')!;
    expect(primary.places.map(({ address, seconds, outage }) => [address, seconds, outage])).toEqual([
      ['192.0.2.1:6379', 1, undefined],
      ['192.0.2.1:6380', 4, 2e9],
      ['192.0.2.1:6379', 7, undefined],
    ]);
    expect(primary.downSince?.seconds).toBe(8);
  });

  it('tells once what is said again, or to several', () => {
    const story = new SentinelStory();
    const kinds = [
      greeted(1, 0, 6379),
      greeted(3, 0, 6379),
      pushed(4, '+sdown', 'master m 192.0.2.1 6379', 1),
      pushed(4, '+sdown', 'master m 192.0.2.1 6379', 5),
      pushed(9, '-sdown', 'master m 192.0.2.1 6379', 1),
      pushed(12, '+sdown', 'master m 192.0.2.1 6379', 1),
    ].map((t) => story.see(t)?.event?.event);
    expect(kinds).toEqual(['hello', undefined, '+sdown', undefined, '-sdown', '+sdown']);
  });

  it('knows Sentinels by their run ids, and who asked by the name of the connection', () => {
    const story = new SentinelStory();
    story.see(greeted(1, 0, 6379));
    story.see(transaction(1, 3, { command: 'CLIENT SETNAME', arguments: ['SETNAME', `sentinel-${RUN.slice(0, 8)}-cmd`] }));
    const asked = { command: 'SENTINEL IS-MASTER-DOWN-BY-ADDR', arguments: ['is-master-down-by-addr', '192.0.2.1', '6379', '1', RUN] };
    expect(story.see(transaction(2, 3, { ...asked, reply: { type: 'array', value: [1, RUN, 1] } }))).toEqual({
      kind: 'vote',
      who: '192.0.2.8:26380',
      to: '192.0.2.9:26379',
      address: '192.0.2.1:6379',
      leader: '192.0.2.8:26380',
      epoch: 1,
    });
    expect(story.see(pushed(2, '+vote-for-leader', `${RUN} 1`))).toMatchObject({ leader: '192.0.2.8:26380', epoch: 1 });
    expect(story.see(transaction(3, 3, { command: 'SLAVEOF', arguments: ['NO', 'ONE'] }))).toMatchObject({
      kind: 'order',
      to: '192.0.2.9:26379',
    });
  });

  it('is not led astray by answers that are none', () => {
    const story = new SentinelStory();
    const odd: Partial<RespTransaction>[] = [
      { command: 'SENTINEL IS-MASTER-DOWN-BY-ADDR' },
      { command: 'SENTINEL GET-MASTER-ADDR-BY-NAME', arguments: ['get-master-addr-by-name', 'm'], reply: { type: 'null', value: null } },
      { command: 'PSYNC', reply: { type: 'error', value: 'ERR' } },
      { command: 'PUBLISH', arguments: ['__sentinel__:hello', 'hi'] },
      { command: 'CLIENT SETNAME', arguments: ['SETNAME'] },
    ];
    expect(odd.map((t) => story.see(transaction(1, 1, t)))).toEqual(odd.map(() => undefined));
    expect(story.primaries.size).toBe(0);
  });
});
