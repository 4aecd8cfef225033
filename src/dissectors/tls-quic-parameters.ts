/**
 * Transport parameters of QUIC, which stand in an extension of TLS, as rows.
 *
 * RFC 9000 section 18, RFC 9221 (datagrams), RFC 9368 (version information), RFC 9287 (grease_quic_bit).
 *
 *     type (1 to 8)   length (1 to 8)   value        numbers of variable length (RFC 9000 section 16)
 *     type (2)        length (2)        value        drafts before the 27th, all of them behind their length (2)
 */
import { bytes, type Field, ipv4, ipv6, many, mark, string, uint8, uint16, uint32, uint64 } from '../core/field.js';
import { u16 } from '../core/octets.js';
import { bigVarint, varint, varintLength } from './quic-varint.js';
import { quicVersionName } from './quic-versions.js';
import type { Walk } from './tls-vectors.js';

/** Names of parameters, also of those whose value is shown as octets only. */
const PARAMETERS: Readonly<Record<number, string>> = {
  0: 'original_destination_connection_id',
  1: 'max_idle_timeout',
  2: 'stateless_reset_token',
  3: 'max_udp_payload_size',
  4: 'initial_max_data',
  5: 'initial_max_stream_data_bidi_local',
  6: 'initial_max_stream_data_bidi_remote',
  7: 'initial_max_stream_data_uni',
  8: 'initial_max_streams_bidi',
  9: 'initial_max_streams_uni',
  10: 'ack_delay_exponent',
  11: 'max_ack_delay',
  12: 'disable_active_migration',
  13: 'preferred_address',
  14: 'active_connection_id_limit',
  15: 'initial_source_connection_id',
  16: 'retry_source_connection_id',
  17: 'version_information',
  32: 'max_datagram_frame_size',
  4096: 'cibir_encoding',
  4183: 'loss_bits',
  10930: 'grease_quic_bit',
  12583: 'initial_rtt',
  12584: 'google_connection_options',
  12585: 'user_agent',
  12587: 'google_key_update_not_yet_supported',
  12588: 'google_support_handshake_done',
  18257: 'google_quic_params',
  18258: 'google_quic_version',
  29015: 'enable_time_stamp',
  29016: 'enable_time_stamp_v2',
  56858: 'min_ack_delay',
  65280: 'facebook_partial_reliability',
  16741339: 'version_information_draft',
  4278378010: 'min_ack_delay',
};

/** RFC 9000 section 18.1: of the form 31 * N + 27, to see whether unknown ones are ignored. */
const isGrease = (type: number): boolean => type % 31 === 27;

/** The rows of the parameters with `p` (`tls` or `dtls`) before their names. */
export function quicParameterRows(p: 'tls' | 'dtls') {
  const q = `${p}.quic.parameter`;
  return {
    quicLength: many(uint16(`${p}.quic.len`, 'Parameters Length')),
    quicType: many(
      uint64(`${q}.type`, 'Type', { values: (type) => PARAMETERS[Number(type)] ?? (isGrease(Number(type)) ? 'GREASE' : undefined) }),
    ),
    quicParameterLength: many(uint64(`${q}.length`, 'Length')),
    quicOldLength: many(uint16(`${q}.lengt.old`, 'Length')),
    quicValue: many(bytes(`${q}.value`, 'Value', { quiet: true })),
    quicOriginal: many(bytes(`${q}.original_destination_connection_id`, 'original_destination_connection_id')),
    quicIdleTimeout: many(uint64(`${q}.max_idle_timeout`, 'max_idle_timeout', { unit: 'milliseconds' })),
    quicResetToken: many(bytes(`${q}.stateless_reset_token`, 'stateless_reset_token')),
    quicPayloadSize: many(uint64(`${q}.max_udp_payload_size`, 'max_udp_payload_size')),
    quicMaxData: many(uint64(`${q}.initial_max_data`, 'initial_max_data')),
    quicLocalBidi: many(uint64(`${q}.initial_max_stream_data_bidi_local`, 'initial_max_stream_data_bidi_local')),
    quicRemoteBidi: many(uint64(`${q}.initial_max_stream_data_bidi_remote`, 'initial_max_stream_data_bidi_remote')),
    quicUni: many(uint64(`${q}.initial_max_stream_data_uni`, 'initial_max_stream_data_uni')),
    quicStreamsBidi: many(uint64(`${q}.initial_max_streams_bidi`, 'initial_max_streams_bidi')),
    quicStreamsUni: many(uint64(`${q}.initial_max_streams_uni`, 'initial_max_streams_uni')),
    quicDelayExponent: many(uint64(`${q}.ack_delay_exponent`, 'ack_delay_exponent')),
    quicAckDelay: many(uint64(`${q}.max_ack_delay`, 'max_ack_delay', { unit: 'milliseconds' })),
    quicIpv4: many(ipv4(`${q}.preferred_address.ipv4address`, 'ipv4Address')),
    quicIpv4Port: many(uint16(`${q}.preferred_address.ipv4port`, 'ipv4Port')),
    quicIpv6: many(ipv6(`${q}.preferred_address.ipv6address`, 'ipv6Address')),
    quicIpv6Port: many(uint16(`${q}.preferred_address.ipv6port`, 'ipv6Port')),
    quicPreferredIdLength: many(uint8(`${q}.preferred_address.connectionid.length`, 'Length')),
    quicPreferredId: many(bytes(`${q}.preferred_address.connectionid`, 'connectionId')),
    quicPreferredToken: many(bytes(`${q}.preferred_address.statelessresettoken`, 'statelessResetToken')),
    quicIdLimit: many(uint64(`${q}.active_connection_id_limit`, 'Active Connection ID Limit')),
    quicInitialSource: many(bytes(`${q}.initial_source_connection_id`, 'Initial Source Connection ID')),
    quicRetrySource: many(bytes(`${q}.retry_source_connection_id`, 'Retry Source Connection ID')),
    quicDatagramSize: many(uint64(`${q}.max_datagram_frame_size`, 'max_datagram_frame_size')),
    quicLossBits: many(uint64(`${q}.loss_bits`, 'loss_bits')),
    quicTimestamp2: many(uint64(`${q}.enable_time_stamp_v2`, 'Enable TimestampV2')),
    quicMinAckDelay: many(uint64(`${q}.min_ack_delay`, 'min_ack_delay', { unit: 'microseconds' })),
    quicUserAgent: many(string(`${q}.google.user_agent`, 'Google UserAgent')),
    quicNoKeyUpdate: many(mark(`${q}.google.key_update_not_yet_supported`, 'Google Key Update not yet supported')),
    quicGoogleVersion: many(uint32(`${q}.google.quic_version`, 'Google QUIC version', { base: 'hex', values: quicVersionName })),
    quicGoogleVersionsLength: many(uint8(`${q}.google.supported_versions_length`, 'Google Supported Versions Length')),
    quicGoogleSupported: many(
      uint32(`${q}.google.supported_version`, 'Google Supported Version', { base: 'hex', values: quicVersionName }),
    ),
    quicInitialRtt: many(uint64(`${q}.google.initial_rtt`, 'Google Initial RTT', { unit: 'microseconds' })),
    quicHandshakeDone: many(mark(`${q}.google.support_handshake_done`, 'Google Support Handshake Done')),
    quicGoogleParameters: many(bytes(`${q}.google.quic_params`, 'Google QUIC parameters')),
    quicGoogleUnknown: many(bytes(`${q}.google.quic_params_unknown_field`, 'Google Unknown Field')),
    quicGoogleOptions: many(bytes(`${q}.google.connection_options`, 'Google Connection options')),
    quicPartialReliability: many(uint64(`${q}.facebook.partial_reliability`, 'Facebook Partial Reliability')),
    quicChosen: many(uint32(`${q}.vi.chosen_version`, 'Chosen Version', { base: 'hex', values: quicVersionName })),
    quicOther: many(uint32(`${q}.vi.other_version`, 'Other Version', { base: 'hex', values: quicVersionName })),
  };
}

/** The parameters up to the end of the extension. */
export function walkQuicParameters(walk: Walk): void {
  const { rows, tree, bytes: b, stop } = walk;
  // The drafts that put a length before all parameters: it fits to the octet.
  const isOld = walk.left >= 2 && u16(b, walk.at) === walk.left - 2;
  if (isOld) walk.field(rows.quicLength, 2);
  // Each parameter has two octets at least.
  while (walk.left >= 2) {
    const from = walk.at;
    const typeLength = isOld ? 2 : varintLength(b, from);
    const lengthLength = isOld ? 2 : varintLength(b, from + typeLength);
    const at = from + typeLength + lengthLength;
    if (at > stop) {
      tree.put(rows.tooSmall, true);
      break;
    }
    const type = isOld ? u16(b, from) : varint(b, from);
    const length = isOld ? u16(b, from + 2) : varint(b, from + typeLength);
    const name = PARAMETERS[type] ?? (isGrease(type) ? 'GREASE' : `Unknown 0x${type.toString(16)}`);
    const end = Math.min(stop, at + length);
    tree.heading(`Parameter: ${name} (len=${length})`, from, end - from);
    tree.put(rows.quicType, isOld ? BigInt(type) : bigVarint(b, from), from, typeLength);
    if (isOld) tree.put(rows.quicOldLength, length, from + typeLength, lengthLength);
    else tree.put(rows.quicParameterLength, bigVarint(b, from + typeLength), from + typeLength, lengthLength);
    tree.add(rows.quicValue, at, end - at);
    walk.at = at;
    walk.stop = end;
    walkParameter(walk, type);
    tree.close();
    walk.at = end;
    walk.stop = stop;
  }
  walk.at = stop;
}

function walkParameter(walk: Walk, type: number): void {
  const { rows, tree, bytes: b, at, left } = walk;
  const numbers: Readonly<Record<number, Field>> = {
    1: rows.quicIdleTimeout,
    3: rows.quicPayloadSize,
    4: rows.quicMaxData,
    5: rows.quicLocalBidi,
    6: rows.quicRemoteBidi,
    7: rows.quicUni,
    8: rows.quicStreamsBidi,
    9: rows.quicStreamsUni,
    10: rows.quicDelayExponent,
    11: rows.quicAckDelay,
    14: rows.quicIdLimit,
    32: rows.quicDatagramSize,
    4183: rows.quicLossBits,
    12583: rows.quicInitialRtt,
    29016: rows.quicTimestamp2,
    56858: rows.quicMinAckDelay,
    65280: rows.quicPartialReliability,
    4278378010: rows.quicMinAckDelay,
  };
  const number = numbers[type];
  if (number !== undefined) {
    if (left === 0 || varintLength(b, at) > left) tree.put(rows.tooSmall, true);
    else tree.put(number, bigVarint(b, at), at, varintLength(b, at));
    return;
  }
  switch (type) {
    case 0:
      return void tree.add(rows.quicOriginal, at, left);
    case 2:
      return void (left > 0 && tree.add(rows.quicResetToken, at, Math.min(left, 16)));
    case 13:
      if (left < 41) return tree.put(rows.tooSmall, true);
      walk.field(rows.quicIpv4, 4);
      walk.field(rows.quicIpv4Port, 2);
      walk.field(rows.quicIpv6, 16);
      walk.field(rows.quicIpv6Port, 2);
      walk.vector(rows.quicPreferredIdLength, rows.quicPreferredId, 1);
      return void walk.field(rows.quicPreferredToken, 16);
    case 15:
      return void tree.add(rows.quicInitialSource, at, left);
    case 16:
      return void tree.add(rows.quicRetrySource, at, left);
    case 17:
    case 16741339:
      if (left >= 4) walk.field(rows.quicChosen, 4);
      while (walk.left >= 4) walk.field(rows.quicOther, 4);
      return;
    case 12584:
      return void (left > 0 && tree.add(rows.quicGoogleOptions, at, left));
    case 12585:
      return void (left > 0 && tree.add(rows.quicUserAgent, at, left));
    case 12587:
      return tree.put(rows.quicNoKeyUpdate, true, at, left);
    case 12588:
      return tree.put(rows.quicHandshakeDone, true, at, left);
    case 18257:
      return void (left > 0 && tree.add(rows.quicGoogleParameters, at, left));
    case 18258:
      if (left >= 4) walk.field(rows.quicGoogleVersion, 4);
      if (walk.left > 0) walk.narrow(rows.quicGoogleVersionsLength, 1);
      while (walk.left >= 4) walk.field(rows.quicGoogleSupported, 4);
      return;
    default:
  }
}
