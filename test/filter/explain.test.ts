import { expect, it } from 'vitest';
import { explainTree, explainWork } from '../../src/filter/explain.js';
import { compileDisplayFilter } from '../../src/filter/index.js';

const tree = (filter: string) => explainTree(compileDisplayFilter(filter).condition!, false);

it('tells a filter as a tree', () => {
  expect(tree('tcp.flags.syn == 1 && !(dns.flags.rcode == 3) && tcp.port != 80 or arp')).toEqual([
    'any of these',
    '|- all of these',
    '|  |- tcp.flags.syn == 1',
    '|  |- not',
    '|  |  `- dns.flags.rcode == 3 (No such name)',
    '|  `- each of tcp.srcport, tcp.dstport: tcp.port != 80',
    '`- arp is there',
  ]);
  expect(tree('ip.proto in {"tcp", 17..20} and frame[0:2] contains "a" xor ip#2')).toEqual([
    'an odd number of these',
    '|- all of these',
    '|  |- ip.proto in {6 (TCP), 17 (UDP)..20 (Host Monitoring)}',
    '|  `- frame[0:2] contains 61',
    '`- ip#[2] is there',
  ]);
  expect(tree('{ip.ttl + 1} * 2 > 9 and max(tcp.port) > 5 and tcp.flags & 2')).toEqual([
    'all of these',
    '|- {{ip.ttl + 1} * 2} > 9',
    '|- max(tcp.port) > 5',
    '`- {tcp.flags & 2} is not zero',
  ]);
});

it('says what a filter costs', () => {
  expect(explainWork(compileDisplayFilter(''))).toContain('selects every frame');
  expect(explainWork(compileDisplayFilter('ip.ttl == 1'))).toContain('dissection alone');
  expect(explainWork(compileDisplayFilter('data'))).toContain('streams');
});
