/**
 * The `Host` check of a server on a loopback address. A page on the network can point its own name
 * at 127.0.0.1 (DNS rebinding) and then reaches this server from the same origin, past CORS; but it
 * cannot hide its name.
 */

const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;

/** Whether a `Host` header names this machine. */
export function isLoopbackHost(host: string | undefined): boolean {
  return host !== undefined && LOOPBACK_HOST.test(host);
}

/** Whether a host or address to listen on is reachable from this machine alone. */
export function isLoopbackAddress(host: string): boolean {
  return isLoopbackHost(host.includes(':') && !host.startsWith('[') ? `[${host}]` : host);
}
