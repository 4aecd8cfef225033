import { describe, expect, it } from 'vitest';
import { fieldsOf, hex, readAll, values } from '../packets.js';
import { Talk } from '../reassembly/talk.js';

const ask = (text: string) => new Talk(502).open().client(0, hex(text));
/** An answer together with what it answers. */
function answer(request: string, response: string) {
  const talk = new Talk(502).open();
  talk.client(0, hex(request));
  return talk.server(0, hex(response), 12);
}

describe('modbus', () => {
  it('reads all fields of a request', () => {
    expect(fieldsOf(ask('0001 0000 0006 11 | 03 006b 0003'), 'mbtcp')).toEqual({
      'mbtcp.trans_id': '1',
      'mbtcp.prot_id': '0',
      'mbtcp.len': '6',
      'mbtcp.unit_id': '17',
    });
    expect(fieldsOf(ask('0001 0000 0006 11 | 03 006b 0003'), 'modbus')).toEqual({
      'modbus.func_code': '3',
      'modbus.reference_num': '107',
      'modbus.word_cnt': '3',
    });
  });

  it('numbers registers and coils as the request asked for them', () => {
    const registers = answer('0001 0000 0006 11 | 03 006b 0003', '0001 0000 0009 11 | 03 06 022b 0000 0064');
    expect(registers.info).toBe('Response: Trans: 1; Unit: 17, Func: 3: Read Holding Registers · 1 s after #4');
    expect(fieldsOf(registers, 'modbus')).toEqual({
      'modbus.func_code': '3',
      'modbus.request_frame': '4',
      'modbus.response_time': '1.000000000',
      'modbus.byte_cnt': '6',
      'modbus.regnum16': '107,108,109',
      'modbus.regval_uint16': '555,0,100',
    });
    const coils = answer('0002 0000 0006 01 | 01 0013 000a', '0002 0000 0005 01 | 01 02 cd01');
    expect(values(coils, 'modbus.bitnum')).toBe('19,20,21,22,23,24,25,26,27,28');
    expect(values(coils, 'modbus.bitval')).toBe('1,0,1,1,0,0,1,1,1,0');
  });

  it.each([
    ['0001 0000 0006 01 | 05 00ac ff00', 'Query: Trans: 1; Unit: 1, Func: 5: Write Single Coil, at 172 value on'],
    ['0001 0000 0006 01 | 05 00ac 0001', 'Query: Trans: 1; Unit: 1, Func: 5: Write Single Coil, at 172 value 1'],
    ['0001 0000 0006 01 | 08 000a 0000', 'Query: Trans: 1; Unit: 1, Func: 8/10: Clear Counters and Diagnostic Register'],
    ['0001 0000 0006 01 | 08 00ff 0000', 'Query: Trans: 1; Unit: 1, Func: 8/255: Diagnostics'],
    ['0001 0000 0005 01 | 2b 0e 01 00', 'Query: Trans: 1; Unit: 1, Func: 43/14: Read Device Identification'],
    ['0001 0000 0002 01 | 63', 'Query: Trans: 1; Unit: 1, Func: 99: Unknown function'],
  ])('says what %s means', (text, info) => expect(ask(text).info).toBe(info));

  it('tells exceptions and objects', () => {
    const exception = answer('0001 0000 0006 01 | 01 04a1 0001', '0001 0000 0003 01 | 81 02');
    expect(exception.info).toContain('Func: 1: Read Coils. Exception returned: Illegal data address');
    const objects = answer('0001 0000 0005 01 | 2b 0e 01 00', '0001 0000 000f 01 | 2b 0e 01 01 00 00 01 00 05 41636d65 21');
    expect(values(objects, 'modbus.object_str_value')).toBe('Acme!');
  });

  it('reads records of files, and what was written to them', () => {
    const read = answer(
      '0001 0000 0011 01 | 14 0e 06 0004 0001 0002 06 0003 0009 0002',
      '0001 0000 000f 01 | 14 0c 05 06 0dfe0020 05 06 33cd0040',
    );
    expect(values(read, 'modbus.byte_cnt')).toBe('12,5,5');
    expect(values(read, 'modbus.reference_type')).toBe('6,6');
    expect(values(read, 'modbus.data')).toBe('0dfe0020,33cd0040');
    const write = '0001 0000 000c 01 | 15 09 06 0004 0007 0001 06af';
    expect(values(answer(write, write), 'modbus.word_cnt')).toBe('1');
  });

  it("lets Schneider's messages be longer than others", () => {
    const message = (code: string) => `0007 0000 00ff 00 | ${code} ${'00'.repeat(253)}`;
    expect(ask(message('5a')).info).toBe('Query: Trans: 7; Unit: 0, Func: 90: Unity (Schneider)');
    expect(ask(message('03')).layers.at(-1)!.protocol.name).toBe('data');
    const talk = new Talk(502).open();
    const whole = hex(message('5a'));
    talk.client(0, whole.slice(0, 7));
    expect(values(talk.client(7, whole.slice(7)), 'tcp.reassembled.length')).toBe('261');
  });

  it('leaves alone what is not Modbus, and survives every cut and lie', () => {
    expect(ask('0001 0001 0006 01 | 01 04a1 0001').layers.at(-1)!.protocol.name).toBe('data');
    for (const text of ['0001 0000 0009 11 | 10 0001 0001 02 000a', '0001 0000 000f 01 | 2b 0e 01 01 00 00 01 00 05 41636d6521']) {
      const whole = hex(text);
      for (let at = 0; at < whole.length; at++) {
        readAll(new Talk(502).open().client(0, whole, 0, at));
        for (const octet of [0, 0x7f, 0xff]) {
          const lying = whole.slice();
          lying[at] = octet;
          readAll(new Talk(502).open().client(0, lying));
          readAll(new Talk(502).open().server(0, lying));
        }
      }
    }
  });
});
