/** Temporal's protobuf types. Its package is CommonJS, and a named import of it passes every check and fails in Node. */
import proto from '@temporalio/proto';

export const { temporal } = proto;
