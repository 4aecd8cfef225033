/** The simple part of pcap-filter(7), told in the language of display filters, for machines without libpcap. */

const PROTOCOLS: Readonly<Record<string, string>> = {
  tcp: 'tcp',
  udp: 'udp',
  icmp: 'icmp',
  icmp6: 'icmpv6',
  arp: 'arp',
  rarp: 'rarp',
  ip: 'ip',
  ip6: 'ipv6',
  vlan: 'vlan',
  igmp: 'igmp',
  sctp: 'sctp',
};

/** `tcp.port == 443` for `tcp port 443`; undefined for what has no such simple twin. */
export function suggestDisplayFilter(expression: string): string | undefined {
  const words = expression.match(/[()!]|&&|\|\||[^\s()!]+/g) ?? [];
  let at = 0;
  let failed = words.length === 0;
  const fail = () => {
    failed = true;
    return '';
  };
  const next = () => words[at++] ?? fail();

  const either = (): string => {
    let text = primitive();
    for (;;) {
      const word = words[at];
      const sign = word === 'and' || word === '&&' ? '&&' : word === 'or' || word === '||' ? '||' : undefined;
      if (!sign) return text;
      at++;
      // pcap-filter(7): `and` and `or` bind equally, from the left.
      text = `${text.includes(sign === '&&' ? '||' : '&&') ? `(${text})` : text} ${sign} ${primitive()}`;
    }
  };

  const primitive = (): string => {
    let word = next();
    if (word === 'not' || word === '!') return `!(${primitive()})`;
    if (word === '(') {
      const inner = either();
      if (next() !== ')') fail();
      return `(${inner})`;
    }
    let transport: string | undefined;
    if (word in PROTOCOLS) {
      const follower = words[at];
      if (follower === undefined || /^(and|or|&&|\|\||\))$/.test(follower)) return PROTOCOLS[word]!;
      if (word !== 'tcp' && word !== 'udp') return fail();
      transport = word;
      word = next();
    }
    let side = '';
    if (word === 'src' || word === 'dst') {
      side = word;
      word = next();
    }
    const value = next();
    if (word === 'port' && /^\d+$/.test(value)) {
      const field = `${side}port`;
      return transport ? `${transport}.${field} == ${value}` : `(tcp.${field} == ${value} || udp.${field} == ${value})`;
    }
    if (transport) return fail();
    const address = side || 'addr';
    if ((word === 'host' || word === 'net') && /^[\d.]+(\/\d+)?$/.test(value) && value.split('.').length === 4)
      return `ip.${address} == ${value}`;
    if ((word === 'host' || word === 'net') && /^[0-9a-f:]*:[0-9a-f:]*(\/\d+)?$/i.test(value)) return `ipv6.${address} == ${value}`;
    return fail();
  };

  const text = either();
  return failed || at < words.length ? undefined : text;
}
