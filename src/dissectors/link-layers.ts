/** The protocols of links: what a captured frame begins with, and what may stand between that and IP. */
import type { ProtocolEntry } from '../core/registry.js';
import { aoe } from './aoe.js';
import { arcnet } from './arcnet.js';
import { arista } from './arista.js';
import { ciscoHdlc, slarp } from './chdlc.js';
import { enc } from './enc.js';
import { ethernet } from './ethernet.js';
import { fabricPath } from './fabric-path.js';
import { fddi } from './fddi.js';
import { frameRelay } from './frame-relay.js';
import { ipnet, ipoib } from './ipnet.js';
import { isl } from './isl.js';
import { juniper } from './juniper.js';
import { llc } from './llc.js';
import { macsec } from './macsec.js';
import { mpls } from './mpls.js';
import { nflog } from './nflog.js';
import { nullLoopback } from './null.js';
import { pflog } from './pflog.js';
import { pktap } from './pktap.js';
import { ppp } from './ppp.js';
import { pppControl } from './ppp-control.js';
import { pppoeDiscovery, pppoeSession } from './pppoe.js';
import { avs, ppi, prism, radiotap } from './radiotap.js';
import { raw } from './raw.js';
import { sll } from './sll.js';
import { backboneTag, providerTag, vlan, vnTag } from './vlan.js';
import { wlan } from './wlan.js';

export const linkLayers: readonly ProtocolEntry[] = [
  ethernet,
  llc,
  vlan,
  providerTag,
  backboneTag,
  vnTag,
  fabricPath,
  isl,
  sll,
  nullLoopback,
  raw,
  ppp,
  ...pppControl,
  pppoeDiscovery,
  pppoeSession,
  ciscoHdlc,
  slarp,
  mpls,
  frameRelay,
  fddi,
  radiotap,
  prism,
  avs,
  ppi,
  wlan,
  nflog,
  arcnet,
  ipnet,
  ipoib,
  pktap,
  juniper,
  macsec,
  arista,
  aoe,
  pflog,
  enc,
];
