/**
 * The `Host` check of a server on a loopback address. A page on the network can point its own name
 * at 127.0.0.1 (DNS rebinding) and then reaches this server from the same origin, past CORS; but it
 * cannot hide its name.
 */

import { isLoopbackHostname } from '../../../config/loopback.ts';

/** Whether a `Host` header names this machine. */
export function isLoopbackHost(host: string | undefined): boolean {
  return host !== undefined && isLoopbackHostname(host.replace(/:\d{1,5}$/, ''));
}

/** Whether a host or address to listen on is reachable from this machine alone. */
export function isLoopbackAddress(host: string): boolean {
  return isLoopbackHostname(host.includes(':') && !host.startsWith('[') ? `[${host}]` : host);
}
