/**
 * netlens as a library.
 *
 *     import { open, Tcp } from 'netlens';
 *     for await (const frame of open('capture.pcap')) console.log(frame.number, frame.get(Tcp)?.srcPort);
 *
 * @module
 */
export { openCapture, openCaptures } from './capture/open.js';
export * from './capture/source.js';
export { NetlensError } from './core/errors.js';
export { type Field, type Raw, valueText } from './core/field.js';
export { Frame } from './core/frame.js';
export { Layer, TreeNode } from './core/layer.js';
export { eachValue } from './core/select.js';
export { Session } from './core/session.js';
export { FIELDS, LAYERS, PROTOCOLS } from './dissectors/index.js';
export { createSession, framesOf } from './frames.js';
export { columnOf, writeColumns } from './output/fields.js';
