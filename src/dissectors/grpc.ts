/**
 * What became of a gRPC call. It stands in the trailers of the response, or in its only headers: the status of HTTP is 200
 * whatever became of the call.
 *
 * gRPC over HTTP2 (PROTOCOL-HTTP2.md of the gRPC project, "Responses"), statuscodes.md (the names).
 */

/** What a response says of the call. */
export interface GrpcOutcome {
  readonly code: number;
  /** What the server has to say about it; mostly empty. */
  readonly message: string;
}

const CODES: readonly string[] = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

/** The name of a code, or the code where it has none. */
export const grpcName = (code: number): string => CODES[code] ?? String(code);

/** Codes that the server is to blame for, as it is for 5xx: UNKNOWN, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS. */
const SERVER_FAILED: ReadonlySet<number> = new Set([2, 12, 13, 14, 15]);
export const isGrpcFailure = (code: number): boolean => SERVER_FAILED.has(code);

/** What `grpc-status` and `grpc-message` say; undefined when the first is no number. */
export function grpcOutcome(status: string | undefined, message = ''): GrpcOutcome | undefined {
  if (status === undefined || !/^\d{1,9}$/.test(status)) return undefined;
  return { code: Number(status), message: message.replace(/(?:%[0-9a-f]{2})+/gi, decoded) };
}

/** Percent-encoded UTF-8 as text; what is none stays as it is, as the specification has it. */
function decoded(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

/** `NOT_FOUND`, or `NOT_FOUND: no such user`. */
export const grpcText = ({ code, message }: GrpcOutcome): string => (message === '' ? grpcName(code) : `${grpcName(code)}: ${message}`);
