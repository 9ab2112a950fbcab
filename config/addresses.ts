import { BlockList, isIP } from 'node:net';

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

// Addresses that nobody on the internet has, or reaches.

const PRIVATE_RANGES = /* @__PURE__ */ privateRanges();

function privateRanges(): BlockList {
  const list = new BlockList();
  list.addSubnet('10.0.0.0', 8, 'ipv4');
  list.addSubnet('172.16.0.0', 12, 'ipv4');
  list.addSubnet('192.168.0.0', 16, 'ipv4');
  // Shared by carriers and used by VPNs; browsers count it as private.
  list.addSubnet('100.64.0.0', 10, 'ipv4');
  list.addSubnet('127.0.0.0', 8, 'ipv4');
  list.addSubnet('169.254.0.0', 16, 'ipv4');
  list.addSubnet('fc00::', 7, 'ipv6');
  list.addSubnet('fe80::', 10, 'ipv6');
  return list;
}

/** Whether an address is private, as browsers see it; false for what is not an address. */
export function isPrivateAddress(address: string): boolean {
  const version = isIP(address);
  return version !== 0 && PRIVATE_RANGES.check(address, version === 4 ? 'ipv4' : 'ipv6');
}
