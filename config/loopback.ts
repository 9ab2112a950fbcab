/**
 * Which names mean this machine alone: the one rule for the `Host` that a loopback server answers to, the
 * address that it may listen on without asking who calls, and what a configuration or `doctor` takes for local.
 *
 * `localhost`, the whole of 127.0.0.0/8 in its four-part spelling, and `::1`. Other spellings of the same
 * addresses (`127.1`, `0x7f000001`) and names below `localhost` depend on who resolves them.
 */
const LOOPBACK_HOST = /^(?:localhost|127(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}|\[::1\])$/i;

/** Whether a host of a URL, an IPv6 address in brackets, is this machine alone. */
export function isLoopbackHostname(hostname: string): boolean {
  return LOOPBACK_HOST.test(hostname);
}
