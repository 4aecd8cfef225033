import { describe, expect, it } from 'vitest';
import { TextBuffer } from '../../src/core/text.js';
import { FIELDS } from '../../src/dissectors/index.js';
import { compileDisplayFilter } from '../../src/filter/index.js';
import { open } from '../../src/frames.js';
import { columnOf, writeColumns } from '../../src/output/fields.js';
import { fixture } from '../cli/printed.js';

const COLUMNS = ['_ws.expert.severity', '_ws.expert.group', '_ws.expert.message', '_ws.expert'].map((name) => columnOf(name, FIELDS));

/** What `-e` prints of the frames of a fixture that a filter selects. */
async function remarks(name: string, filter: string): Promise<string[]> {
  const { test } = compileDisplayFilter(filter);
  const out = new TextBuffer();
  for await (const frame of open(fixture(name)))
    if (test(frame)) writeColumns(out, frame, COLUMNS, { separator: ' | ', quote: '', aggregator: ',', occurrence: 'a' });
  return out.toString().trimEnd().split('\n');
}

describe('_ws.expert', () => {
  it('sums up what expert fields say, each with how serious it is and what it is about', async () => {
    expect(await remarks('http.pcap', 'frame.number in {1, 3, 4, 10}')).toEqual([
      '2097152 | 33554432 | Connection establish request (SYN): server port 80 | Expert Info (Chat/Sequence): Connection establish request (SYN): server port 80',
      ' |  |  | ',
      '2097152 | 33554432 | GET / HTTP/1.1\\r\\n | Expert Info (Chat/Sequence): GET / HTTP/1.1\\r\\n',
      '2097152,4194304 | 33554432,33554432 | Connection finish (FIN),This frame initiates the connection closing | ' +
        'Expert Info (Chat/Sequence): Connection finish (FIN),Expert Info (Note/Sequence): This frame initiates the connection closing',
    ]);
  });

  it('can be filtered by', async () => {
    const count = async (filter: string) => (await remarks('tcp-loss.pcap', filter)).length;
    expect(await remarks('tcp-loss.pcap', '_ws.expert.severity == "Note" and _ws.expert.message == "Duplicate ACK (#3)"')).not.toEqual([
      '',
    ]);
    expect(await count('_ws.expert')).toBe(await count('_ws.expert.severity >= 1'));
    expect(await count('_ws.expert.group == "Sequence"')).toBe(await count('_ws.expert'));
    expect(await count('_ws.expert.severity == Chat')).toBeLessThan(await count('_ws.expert'));
  });
});
