/** Every protocol that netlens knows, in the order in which recognisers are asked. */
import { Data } from '../core/data.js';
import type { Field } from '../core/field.js';
import { FrameLayer } from '../core/frame-layer.js';
import type { LayerClass } from '../core/layer.js';
import type { ProtocolEntry } from '../core/registry.js';
import { REMARK_ROWS } from '../core/remarks.js';
import { arp } from './arp.js';
import { ayiya } from './ayiya.js';
import { capwap } from './capwap.js';
import { ciscoMetadata } from './cisco-metadata.js';
import { dhcp } from './dhcp.js';
import { dhcpv6 } from './dhcpv6.js';
import { dns, llmnr, mdns } from './dns.js';
import { dtls } from './dtls.js';
import { geneve } from './geneve.js';
import { erspan, gre } from './gre.js';
import { gtp } from './gtp.js';
import { http, ssdp } from './http.js';
import { http2 } from './http2.js';
import { http3 } from './http3.js';
import { icmp } from './icmp.js';
import { icmpv6 } from './icmpv6.js';
import { igmp } from './igmp.js';
import { ipComp } from './ipcomp.js';
import { ipsec } from './ipsec.js';
import { ipv4Protocol } from './ipv4.js';
import { ipv6Protocol } from './ipv6.js';
import { ipv6Extensions } from './ipv6-extensions.js';
import { knxNet } from './knxnet.js';
import { l2tp } from './l2tp.js';
import { linkLayers } from './link-layers.js';
import { modbus } from './modbus.js';
import { nbns } from './nbns.js';
import { nhrp } from './nhrp.js';
import { nsh } from './nsh.js';
import { ntp } from './ntp.js';
import { openVpn } from './openvpn.js';
import { pim } from './pim.js';
import { proxy } from './proxy.js';
import { quic } from './quic.js';
import { resp } from './resp-stream.js';
import { sflow } from './sflow.js';
import { stun } from './stun.js';
import { syslog } from './syslog.js';
import { tcp } from './tcp.js';
import { teredo } from './teredo.js';
import { tftp } from './tftp.js';
import { tls } from './tls.js';
import { udp, udpLite } from './udp.js';
import { vxlan, vxlanGpe } from './vxlan.js';
import { websocket } from './websocket.js';

/** Every protocol, the link layers first. */
export const PROTOCOLS: readonly ProtocolEntry[] = [
  { name: 'frame', layers: [FrameLayer] },
  ...linkLayers,
  arp,
  ipv4Protocol,
  ipv6Protocol,
  ...ipv6Extensions,
  icmp,
  icmpv6,
  udp,
  udpLite,
  igmp,
  ...ipsec,
  ipComp,
  pim,
  gre,
  erspan,
  ciscoMetadata,
  vxlan,
  vxlanGpe,
  geneve,
  l2tp,
  gtp,
  teredo,
  ayiya,
  nhrp,
  capwap,
  nsh,
  sflow,
  tcp,
  proxy,
  resp,
  http,
  http2,
  http3,
  websocket,
  modbus,
  ssdp,
  tls,
  dtls,
  quic,
  openVpn,
  dns,
  mdns,
  llmnr,
  dhcp,
  dhcpv6,
  nbns,
  knxNet,
  ntp,
  stun,
  syslog,
  tftp,
  { name: 'data', layers: [Data], dissect: (frame, start, end) => frame.data(start, end) },
];

/** All layer classes. */
export const LAYERS: readonly LayerClass[] = [...new Set(PROTOCOLS.flatMap((protocol) => protocol.layers))];

/** Fields by their filter name; a name that stands for several (`ip.addr`) has several. */
export const FIELDS: ReadonlyMap<string, readonly Field[]> = index();

function index(): Map<string, Field[]> {
  const fields = new Map<string, Field[]>();
  const add = (name: string, field: Field) => {
    const known = fields.get(name);
    if (known === undefined) fields.set(name, [field]);
    // A list that has the name of its octets: the octets are the value.
    else if (field.type !== 'list' || known.every((other) => other.protocol !== field.protocol)) known.push(field);
  };
  for (const { protocol } of LAYERS)
    for (const field of protocol.allFields) {
      add(field.name, field);
      for (const name of field.options.also ?? []) add(name, field);
    }
  for (const field of [REMARK_ROWS.severity, REMARK_ROWS.group, REMARK_ROWS.message]) add(field.name, field);
  return fields;
}
