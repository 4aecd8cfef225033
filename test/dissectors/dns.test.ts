import { describe, expect, it } from 'vitest';
import { Dns, dnsStream, looksLikeDns } from '../../src/dissectors/dns.js';
import { dissect, everyCut, everyLie, fieldsOf, hex, readAll, values } from '../packets.js';
import { alone } from '../reassembly/talk.js';

const hex2 = (n: number) => n.toString(16).padStart(4, '0');

/** A DNS message in a datagram from 192.0.2.1 to 192.0.2.53. */
function datagram(message: string | Uint8Array, { srcPort = 40000, dstPort = 53 } = {}): Uint8Array {
  const payload = typeof message === 'string' ? hex(message) : message;
  const udp = `${hex2(srcPort)} ${hex2(dstPort)} ${hex2(8 + payload.length)} 0000`;
  const octets = hex(`020000000002 020000000001 0800 | 45 00 ${hex2(28 + payload.length)} 0001 0000 40 11 0000 c0000201 c0000235 | ${udp}`);
  const whole = new Uint8Array(octets.length + payload.length);
  whole.set(octets);
  whole.set(payload, octets.length);
  return whole;
}

const read = (message: string, ports = {}) => dissect(datagram(message, ports));

/** `www.x.test` as labels. */
const NAME = '03777777 0178 0474657374 00';
const RESPONSE = `1234 8180 0001 0002 0000 0001 | ${NAME} 0001 0001 |
  c00c 0005 0001 0000003c 0006 036364 6e c010 | c028 0001 0001 0000003c 0004 c0000201 | 00 0029 1000 00 00 8000 0000`;
/** A response to `.` with one answer of a type and its data. */
const answer = (type: number, data: string, owner = '00') => {
  const length = hex2(hex(data).length);
  return read(`1234 8400 0000 0001 0000 0000 | ${owner} ${hex2(type)} 0001 0000003c ${length} ${data}`);
};

describe('dns', () => {
  it('reads all fields of a query', () => {
    const frame = read(`1234 0120 0001 0000 0000 0000 | ${NAME} 0001 0001`);
    expect(fieldsOf(frame, 'dns')).toEqual({
      'dns.id': '0x1234',
      'dns.flags': '0x0120',
      'dns.flags.response': '0',
      'dns.flags.opcode': '0',
      'dns.flags.truncated': '0',
      'dns.flags.recdesired': '1',
      'dns.flags.z': '0',
      'dns.flags.authenticated': '1',
      'dns.flags.checkdisable': '0',
      'dns.count.queries': '1',
      'dns.count.answers': '0',
      'dns.count.auth_rr': '0',
      'dns.count.add_rr': '0',
      'dns.queries': '1',
      'dns.qry.name': 'www.x.test',
      'dns.qry.name.len': '10',
      'dns.count.labels': '3',
      'dns.qry.type': '1',
      'dns.qry.class': '0x0001',
    });
    expect(frame.info).toBe('Standard query 0x1234 A www.x.test');
  });

  it('reads records of all sections under their own lists', () => {
    const frame = read(RESPONSE);
    const dns = frame.get(Dns)!;
    expect(dns.answers).toMatchObject([
      { name: 'www.x.test', type: 5, class: 1, ttl: 60, length: 6, cname: 'cdn.x.test' },
      { name: 'cdn.x.test', type: 1, a: '192.0.2.1' },
    ]);
    expect(dns.authorities).toEqual([]);
    expect(dns.additionals).toMatchObject([{ name: '<Root>', type: 41, udpPayloadSize: 4096, dnssecOk: true }]);
    expect(values(frame, 'dns.resp.name')).toBe('www.x.test,cdn.x.test,<Root>');
    expect(values(frame, 'dns.a')).toBe('192.0.2.1');
    expect(values(frame, 'dns.resp.z')).toBe('0x8000');
    expect(frame.info).toBe('Standard query response 0x1234 A www.x.test CNAME cdn.x.test A 192.0.2.1 OPT');
  });

  it.each<[string, number, string, Record<string, string>]>([
    ['MX', 15, '000a 026d78 00', { 'dns.mx.preference': '10', 'dns.mx.mail_exchange': 'mx' }],
    ['AAAA', 28, '20010db8 00000000 00000000 00000001', { 'dns.aaaa': '2001:db8::1' }],
    [
      'SOA',
      6,
      '0161 00 0162 00 00000001 00000002 00000003 00000004 00000005',
      { 'dns.soa.mname': 'a', 'dns.soa.rname': 'b', 'dns.soa.serial_number': '1', 'dns.soa.minimum_ttl': '5' },
    ],
    ['TXT', 16, '02 6869 00', { 'dns.txt': 'hi,', 'dns.txt.length': '2,0' }],
    [
      'CAA',
      257,
      '80 05 6973737565 63612e74657374',
      { 'dns.caa.flags.issuer_critical': '1', 'dns.caa.issue': 'ca.test', 'dns.caa.tag': 'issue' },
    ],
    ['URI', 256, '000a 0001 687474703a2f2f78', { 'dns.uri.priority': '10', 'dns.uri.target': 'http://x' }],
    [
      'NAPTR',
      35,
      '0064 000a 01 73 03 534950 00 0161 00',
      { 'dns.naptr.order': '100', 'dns.naptr.flags': 's', 'dns.naptr.service': 'SIP', 'dns.naptr.replacement': 'a' },
    ],
    [
      'HTTPS',
      65,
      '0001 00 | 0001 0006 02 6832 02 6833 | 0003 0002 01bb | 0004 0004 c0000201',
      {
        'dns.svcb.svcpriority': '1',
        'dns.svcb.targetname': '<Root>',
        'dns.svcb.svcparam.alpn': 'h2,h3',
        'dns.svcb.svcparam.port': '443',
        'dns.svcb.svcparam.ipv4hint.ip': '192.0.2.1',
      },
    ],
    [
      'NSEC',
      47,
      '0162 00 | 00 06 40 00 00 00 00 03',
      { 'dns.nsec.next_domain_name': 'b', 'dns.type_bitmap': 'A RRSIG NSEC', 'dns.resp.type': '47,1,46,47' },
    ],
    [
      'NSEC3',
      50,
      '01 01 000a 02 abcd 05 0001020304 00 01 40',
      { 'dns.nsec3.flags.opt_out': '1', 'dns.nsec3.salt_value': 'abcd', 'dns.nsec3.hash_value': '000g40o4', 'dns.type_bitmap': 'A' },
    ],
    // The tag of the key in RFC 4034 section 5.4 is the sum over flags, protocol, algorithm and key.
    ['DNSKEY', 48, '0100 03 05 00ff', { 'dns.dnskey.flags.zone_key': '1', 'dns.dnskey.key_id': '1284', 'dns.dnskey.public_key': '00ff' }],
    ['DS', 43, 'ec45 05 01 2bb183af', { 'dns.ds.key_id': '0xec45', 'dns.ds.digest': '2bb183af' }],
    ['TLSA', 52, '03 01 01 aabb', { 'dns.tlsa.certificate_usage': '3', 'dns.tlsa.certificate_association_data': 'aabb' }],
    [
      'LOC',
      29,
      '00 12 16 13 89170000 70be15f0 00989680',
      { 'dns.loc.size': '18', 'dns.loc.latitude': '2299985920', 'dns.loc.altitude': '10000000' },
    ],
    ['APL', 42, '0001 18 83 c00002', { 'dns.apl.negation': '1', 'dns.apl.afdpart.ipv4': '192.0.2.0', 'dns.apl.coded_prefix': '24' }],
    ['unknown type', 4711, '0102', { 'dns.data': '0102', 'dns.undecoded.type': '1' }],
  ])('reads %s', (_name, type, data, expected) => {
    const frame = answer(type, data);
    expect(fieldsOf(frame, 'dns')).toMatchObject(expected);
    expect(frame.stopped).toBeUndefined();
  });

  it('tells what an SRV record is about by its name', () => {
    const frame = answer(33, '0001 0002 0185 0161 00', '055f6c646170 045f746370 0178 00');
    const fields = fieldsOf(frame, 'dns');
    // The three parts stand in place of the name, as in Wireshark.
    expect(fields).not.toHaveProperty('dns.resp.name');
    expect(fields).toMatchObject({
      'dns.srv.service': '_ldap',
      'dns.srv.proto': '_tcp',
      'dns.srv.name': 'x',
      'dns.srv.port': '389',
    });
    expect(frame.info).toBe('Standard query response 0x1234 SRV 1 2 389 a');
  });

  it('reads EDNS options', () => {
    const options = `0008 0007 0001 18 00 c00002 | 000a 0010 0102030405060708 1112131415161718 | 000f 0005 0012 616263 | 000c 0002 0000 | 000b 0002 0064`;
    const frame = read(`0001 8180 0000 0000 0000 0001 | 00 0029 04d0 01 00 8000 ${hex2(hex(options).length)} ${options}`);
    expect(fieldsOf(frame, 'dns')).toMatchObject({
      'dns.opt.code': '8,10,15,12,11',
      'dns.opt.client.addr4': '192.0.2.0',
      'dns.opt.client.netmask': '24',
      'dns.opt.cookie.client': '0102030405060708',
      'dns.opt.cookie.server': '1112131415161718',
      'dns.opt.ext_error.info_code': '18',
      'dns.opt.ext_error.extra_text': 'abc',
      'dns.opt.padding': '0000',
      'dns.opt.edns_tcp_keepalive.timeout': '100',
      'dns.resp.ext_rcode': '0x01',
    });
    const early = read('0001 0100 0000 0000 0000 0001 | 00 0029 04d0 00 00 0000 000b 50fa 0007 0001 18 00 c00002');
    expect(values(early, 'dns.opt.client.addr4')).toBe('192.0.2.0');
  });

  it('counts no records in a stateful operation (RFC 8490)', () => {
    const frame = read('0001 3000 0000 0000 0000 0000 | 0001 0008 00003a98 00002710');
    expect([values(frame, 'dns.count.queries'), values(frame, 'dns.dso.tlv.keepalive.inactivity')]).toEqual(['0', '15000']);
  });

  it.each([
    ['0001 0100 0001 0000 0000 0000 | 00 0002 0001', {}, 'DNS', 'Standard query 0x0001 NS <Root>'],
    ['0001 8183 0001 0000 0000 0000 | 0161 00 001c 0001', {}, 'DNS', 'Standard query response 0x0001 No such name AAAA a'],
    ['0001 2800 0001 0000 0000 0000 | 0161 00 0006 0001', {}, 'DNS', 'Dynamic update 0x0001 SOA a'],
    ['0001 7800 0000 0000 0000 0000', {}, 'DNS', 'Unknown operation (15) 0x0001'],
    ['0001 0000 0001 0000 0000 0000 | 04 61ff0a07 00 1267 0001', {}, 'DNS', 'Standard query 0x0001 Unknown (4711) a\ufffd\\n\\a'],
    [
      '0000 0000 0001 0000 0000 0000 | 0168 00 0001 8001',
      { srcPort: 5353, dstPort: 5353 },
      'MDNS',
      'Standard query 0x0000 A h, "QU" question',
    ],
    [
      '0000 8400 0000 0001 0000 0000 | 0168 00 0001 8001 00000078 0004 c0000201',
      { srcPort: 5353, dstPort: 5353 },
      'MDNS',
      'Standard query response 0x0000 A, cache flush 192.0.2.1',
    ],
    ['0009 0000 0001 0000 0000 0000 | 0168 00 0001 0001', { dstPort: 5355 }, 'LLMNR', 'Standard query 0x0009 A h'],
  ])('says what %s means', (message, ports, protocol, info) => {
    const frame = read(message, ports);
    expect([frame.top.shortName, frame.info]).toEqual([protocol, info]);
  });

  it('masks the bits that mDNS put into the class', () => {
    const frame = read('0000 8400 0001 0001 0000 0000 | 0168 00 0001 8001 | c00c 0001 8001 00000078 0004 c0000201', { dstPort: 5353 });
    expect(values(frame, 'dns.qry.class')).toBe('0x0001');
    expect(values(frame, 'dns.qry.qu')).toBe('1');
    expect(values(frame, 'dns.resp.class')).toBe('0x0001');
    expect(values(frame, 'dns.resp.cache_flush')).toBe('1');
  });

  it('follows pointers backwards alone', () => {
    const query = (name: string) => values(read(`0001 0100 0001 0000 0000 0000 | ${name} 0001 0001`), 'dns.qry.name');
    expect(query('c00c')).toBe('<Name contains a pointer that loops>');
    expect(query('0161 c00c')).toBe('<Name contains a pointer that loops>');
    expect(query('c00e')).toBe('<Name contains a pointer that loops>');
    expect(query('42')).toBe('<Unknown extended label>');
    expect(query('0161 8000')).toBe('');
    expect(query('ffff')).toBe('');
    expect(query('4108ff 0161 00')).toBe('\\[xff/8].a');
  });

  it('bounds the work of a chain of pointers that each record begins anew', () => {
    // 2 000 pointers, each to the one before, then as many records whose names begin at the last.
    const pointers = Array.from({ length: 2000 }, (_, i) => (i === 0 ? '0000' : (0xc000 | (23 + 2 * (i - 1))).toString(16))).join('');
    const last = (0xc000 | (23 + 2 * 1999)).toString(16);
    const records = `${last} 0001 0001 00000000 0000`.repeat(2000);
    const frame = read(`0001 8100 0000 07d1 0000 0000 | 00 000a 0001 00000000 ${hex2(4000)} ${pointers} ${records}`);
    const begun = performance.now();
    readAll(frame);
    expect(performance.now() - begun).toBeLessThan(2000);
    expect(values(frame, 'dns.resp.name').split(',').slice(-1)).toEqual(['<Name contains a pointer that loops>']);
  });

  it('says when counts or lengths lie', () => {
    const counts = read(`1234 8180 ffff ffff ffff ffff | ${NAME} 0001 0001`);
    expect(counts.stopped?.reason).toBe('malformed');
    expect(values(counts, 'dns.qry.name')).toBe('www.x.test');
    const length = read('1234 8180 0000 0001 0000 0000 | 00 0001 0001 0000003c ffff c0000201');
    expect(length.stopped?.reason).toBe('malformed');
    expect(values(length, 'dns.a')).toBe('192.0.2.1');
    const after = read(`1234 0100 0001 0000 0000 0000 | ${NAME} 0001 0001 | abcdef`);
    expect(after.stopped).toBeUndefined();
    expect(values(after, 'dns.extraneous.data')).toBe('abcdef');
  });

  it('is found on other ports by its content', () => {
    expect(read(RESPONSE, { dstPort: 8053 }).top.shortName).toBe('DNS');
    const query = `1234 0100 0001 0000 0000 0000 | ${NAME} 0001 0001`;
    expect(looksLikeDns(hex(query), 0, hex(query).length)).toBe(true);
    for (const other of [
      `${query} 00`,
      `1234 0100 0001 0000 0000 0000 | ${NAME} 0020 0001`,
      `1234 0140 0001 0000 0000 0000 | ${NAME} 0001 0001`,
      `1234 0100 0001 0000 0000 0000 | 03772277 00 0001 0001`,
    ])
      expect(looksLikeDns(hex(other), 0, hex(other).length)).toBe(false);
  });

  it('is found by its content also when it is signed, asks for changes, or makes them', () => {
    const asks = (flags: string, counts: string, type: string, rest = '') =>
      hex(`1234 ${flags} 0001 ${counts} ${NAME} ${type} 0001 ${rest}`);
    const soa = 'c00c 0006 0001 00000000 0016 00 00 00000001 00000e10 00000258 00015180 0000003c';
    const additional = '00 0029 04d0 00000000 0000 | 026b31 00 00fa 00ff 00000000 0002 abcd';
    const told = (octets: Uint8Array) => looksLikeDns(octets, 0, octets.length);
    expect(told(asks('0100', '0000 0000 0002', '0001', additional))).toBe(true);
    expect(told(asks('0000', '0000 0001 0000', '00fb', soa))).toBe(true);
    expect(told(asks('0000', '0000 0001 0000', '0001', soa))).toBe(false);
    // NOTIFY with the SOA record that changed, UPDATE that adds one.
    expect(told(asks('2400', '0001 0000 0000', '0006', soa))).toBe(true);
    expect(told(asks('2800', '0000 0001 0000', '0006', soa))).toBe(true);
    expect(told(asks('2800', '0000 0001 0000', '0001', soa))).toBe(false);
    const two = hex(`001c 1234 0100 0001 0000 0000 0000 ${NAME} 0001 0001 | 001c 1235 0100 0001 0000`);
    expect(dnsStream.recognise!(two, 0, two.length)).toBe(true);
    expect(dnsStream.recognise!(two, 0, 29)).toBe(false);
  });

  it('takes whole messages from a stream', () => {
    const parser = dnsStream.parser(alone(true, 40000, 53));
    const message = hex(`001c 1234 0100 0001 0000 0000 0000 | ${NAME} 0001 0001`);
    for (let end = 0; end < message.length; end++) expect(parser.measure(message, 0, end, false)).toBe(0);
    expect(parser.measure(message, 0, message.length, false)).toBe(30);
    expect(parser.measure(hex('0004 1234'), 0, 4, false)).toBe(-1);
  });

  it('survives every cut and every lie', () => {
    everyCut(datagram(RESPONSE), 42);
    everyLie(datagram(RESPONSE), 42);
  });
});
