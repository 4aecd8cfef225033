import { describe, expect, it } from 'vitest';
import { createSession } from '../../src/frames.js';
import { dissect, everyCut, everyLie, fieldsOf, hex, IPV4, udpMessage, values } from '../packets.js';
import { octets } from '../reassembly/talk.js';

const READ = udpMessage(40000, 69, octets('\0\x01a.txt\0octet\0blksize\x004\0'));

/** Messages of one transfer: from the server's new port when `answer`. */
function transfer(...messages: { text: string; answer: boolean }[]) {
  const session = createSession();
  dissect(READ, { session, linkType: IPV4 });
  return messages.map(({ text, answer }) =>
    dissect(answer ? udpMessage(5000, 40000, hex(text), true) : udpMessage(40000, 5000, hex(text)), { session, linkType: IPV4 }),
  );
}

describe('tftp', () => {
  it('reads all fields of a request', () =>
    expect(fieldsOf(dissect(READ, { linkType: IPV4 }), 'tftp')).toEqual({
      'tftp.opcode': '1',
      'tftp.source_file': 'a.txt',
      'tftp.type': 'octet',
      'tftp.option.name': 'blksize',
      'tftp.option.value': '4',
    }));

  it('follows a transfer to the port that the server picks, with the block size agreed on', () => {
    const frames = transfer(
      { text: '0006 626c6b73697a65 00 34 00', answer: true },
      { text: '0004 0000', answer: false },
      { text: '0003 0001 61626364', answer: true },
      { text: '0004 0001', answer: false },
      { text: '0003 0002 6162', answer: true },
      { text: '0005 0003 66756c6c 00', answer: false },
    );
    expect(frames.map((frame) => frame.info)).toEqual([
      'Option Acknowledgement, blksize=4',
      'Acknowledgement, Block: 0',
      'Data Packet, Block: 1',
      'Acknowledgement, Block: 1',
      'Data Packet, Block: 2 (last)',
      'Error Code, Code: Disk full or allocation exceeded, Message: full',
    ]);
    expect(fieldsOf(frames[2]!, 'tftp')).toEqual({
      'tftp.opcode': '3',
      'tftp.destination_file': 'a.txt',
      'tftp.request_frame': '1',
      'tftp.block': '1',
      'tftp.block.full': '1',
    });
    expect(fieldsOf(frames[5]!, 'tftp')).toMatchObject({ 'tftp.error.code': '3', 'tftp.error.message': 'full', 'tftp.error': '1' });
  });

  it('counts blocks beyond 65 535', () => {
    const blocks = ['0003 7000', '0003 e000', '0003 ffff', '0003 0000', '0003 ffff', '0003 0001'];
    const frames = transfer(...blocks.map((text) => ({ text: `${text} 00`, answer: true })));
    expect(frames.map((frame) => values(frame, 'tftp.block.full'))).toEqual(['28672', '57344', '65535', '65536', '65535', '65537']);
  });

  it('knows a request on any port, and what follows it', () => {
    const session = createSession();
    const at = (port: number, text: string) => dissect(udpMessage(40000, port, octets(text)), { session, linkType: IPV4 });
    expect(at(6900, '\0\x02a.txt\0NetASCII\0').info).toBe('Write Request, File: a.txt, Transfer type: NetASCII');
    expect(dissect(udpMessage(5000, 40000, hex('0004 0000'), true), { session, linkType: IPV4 }).info).toBe('Acknowledgement, Block: 0');
    for (const other of ['\0\x01a.txt\0binary\0', '\0\x01\0octet\0....', '\0\x01a.txt\0octet', '\0\x01a\ntxt\0octet\0'])
      expect(dissect(udpMessage(40000, 6900, octets(other)), { linkType: IPV4 }).protocols).toBe('ip:udp:data');
  });

  it('leaves others on such ports alone, and survives every cut and lie', () => {
    const other = dissect(udpMessage(5000, 40000, hex('0003 0001 61'), true), { linkType: IPV4 });
    expect(other.protocols).toBe('ip:udp:data');
    everyCut(READ, 28, IPV4);
    everyLie(READ, 28, IPV4);
  });
});
