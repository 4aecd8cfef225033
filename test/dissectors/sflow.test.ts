import { describe, expect, it } from 'vitest';
import { createSession } from '../../src/frames.js';
import { dissect, everyCut, everyLie, hex, IPV4, values } from '../packets.js';

/** A TCP SYN in a frame that was 74 octets long, of which 54 were sampled. */
const SAMPLED = `020000000001 020000000002 0800 4500 003c 0001 4000 40 06 0000 cb007101 cb007102 d000 0050 00000001 00000000 a002 faf0 0000 0000`;

const word = (n: number): string => n.toString(16).padStart(8, '0');
const xdr = (...items: (number | string)[]): string => items.map((item) => (typeof item === 'number' ? word(item) : item)).join(' ');

const RECORD = xdr(1, 72, 1, 78, 4, 54, SAMPLED, '0000');
const FLOW = xdr(1, 112, 9, 0x02000011, 512, 1024, 3, 7, 0x8000000b, 1, RECORD);
const EXPANDED = xdr(3, 124, 9, 2, 17, 512, 1024, 3, 0, 7, 1, 11, 1, RECORD);
const INTERFACE = xdr(17, 6, '000000003b9aca00', 1, 3, '0000000000000400', 1, 2, 3, 4, 5, 6, '0000000000000800', 7, 8, 9, 10, 11, 1);
const COUNTERS = xdr(2, 108, 21, 0x02000011, 1, 1, 88, INTERFACE);

function datagram(agent: string, samples: readonly string[]): Uint8Array {
  const payload = hex(xdr(5, agent, 1, 42, 60000, samples.length, ...samples));
  const length = (n: number): string => n.toString(16).padStart(4, '0');
  const head = hex(
    `4500 ${length(28 + payload.length)} 0000 0000 40 11 0000 c0000201 c0000202 | c000 18c7 ${length(8 + payload.length)} 0000`,
  );
  return Uint8Array.from([...head, ...payload]);
}
const AGENT = xdr(1, 'c0000201');
const AGENT6 = xdr(2, '20010db8000000000000000000000001');
const WHOLE = datagram(AGENT, [FLOW, COUNTERS]);

describe('sflow', () => {
  it('reads samples of packets and of counters', () => {
    const frame = dissect(WHOLE, { linkType: IPV4 });
    const expected = {
      'sflow_245.version': '5',
      'sflow_245.agent': '192.0.2.1',
      'sflow_245.sub_agent_id': '1',
      'sflow_245.sequence_number': '42',
      'sflow_245.sysuptime': '60000',
      'sflow_245.numsamples': '2',
      'sflow_245.sampletype': '1,2',
      'sflow_5.sample_length': '112,108',
      'sflow.flow_sample.sequence_number': '9',
      'sflow.flow_sample.source_id_class': '2',
      'sflow.flow_sample.index': '17',
      'sflow.flow_sample.sampling_rate': '512',
      'sflow.flow_sample.sample_pool': '1024',
      'sflow.flow_sample.dropped_packets': '3',
      'sflow.flow_sample.input_interface': '7',
      'sflow.flow_sample.multiple_outputs': '1',
      'sflow.flow_sample.output_interface': '11',
      'sflow_245.header_protocol': '1',
      'sflow_245.header.frame_length': '78',
      'sflow_245.header.sampled_header_length': '54',
      'sflow.counters_sample.sequence_number': '21',
      'sflow_245.ifindex': '17',
      'sflow_245.ifspeed': '1000000000',
      'sflow_245.ifadmin_status': '1',
      'sflow_245.ifoper_status': '1',
      'sflow_245.ifinoct': '1024',
      'sflow_245.ifinunk': '6',
      'sflow_245.ifoutoct': '2048',
      'sflow_245.ifpromisc': '1',
    };
    expect(Object.fromEntries(Object.keys(expected).map((name) => [name, values(frame, name)]))).toEqual(expected);
    expect(frame.info).toBe('V5, agent 192.0.2.1, seq 42, 2 samples');
  });

  it('shows the sampled frame, which is no traffic of its own', () => {
    const session = createSession();
    const frame = dissect(WHOLE, { linkType: IPV4, session });
    expect(frame.protocols).toBe('ip:udp:sflow:eth:ethertype:ip:tcp');
    expect(values(frame, 'ip.dst')).toBe('192.0.2.2,203.0.113.2');
    expect(values(frame, 'tcp.dstport')).toBe('80');
    // A header of 54 octets stands for a whole packet: nothing is wrong with its lengths.
    expect(values(frame, 'ip.bogus_ip_length')).toBe('');
    expect(frame.stopped).toBeUndefined();
    expect(frame.transport?.srcPort).toBe(0xc000);
  });

  it('reads expanded samples and an IPv6 agent', () => {
    const frame = dissect(datagram(AGENT6, [EXPANDED]), { linkType: IPV4 });
    expect(values(frame, 'sflow_245.agent.v6')).toBe('2001:db8::1');
    expect(values(frame, 'sflow.flow_sample.source_id_index')).toBe('17');
    expect(values(frame, 'sflow.flow_sample.output_interface_value')).toBe('11');
    expect(values(frame, 'tcp.srcport')).toBe('53248');
  });

  it('leaves other versions and samples of other organisations alone', () => {
    const other = dissect(datagram(AGENT, [xdr(0x1001, 4, 7)]), { linkType: IPV4 });
    expect(values(other, 'sflow.enterprise')).toBe('1');
    expect(other.protocols).toBe('ip:udp:sflow');
  });

  it('survives every cut and every lie', () => {
    everyCut(WHOLE, 20, IPV4);
    everyLie(WHOLE, 20, IPV4);
  });
});
