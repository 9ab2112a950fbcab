/**
 * `node:http` as the function's bundle gets it. An ES module that imports it makes Node look at every
 * export, and the ones for WebSockets load an HTTP client of a megabyte: 35 ms of every cold start
 * for three names.
 */
const http = process.getBuiltinModule('node:http');

export const { Agent, request, STATUS_CODES } = http;
export default http;
