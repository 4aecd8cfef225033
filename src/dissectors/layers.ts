/** The layer classes, for `frame.get(Tcp)`. */
export { Data } from '../core/data.js';
export { FrameLayer } from '../core/frame-layer.js';
export { Arp } from './arp.js';
export { Dns } from './dns.js';
export { Ethernet } from './ethernet.js';
export { Ipv4 } from './ipv4.js';
export { Ipv6 } from './ipv6.js';
export { Nbns } from './nbns.js';
export { Tcp } from './tcp.js';
export { Udp } from './udp.js';
