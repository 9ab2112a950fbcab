/** Addresses that nobody on the internet has, or reaches. */
import { BlockList, isIP } from 'node:net';

const PRIVATE_RANGES = privateRanges();

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

/** Whether an address is private, as browsers see it; false for what is no address. */
export function isPrivateAddress(address: string): boolean {
  const version = isIP(address);
  return version !== 0 && PRIVATE_RANGES.check(address, version === 4 ? 'ipv4' : 'ipv6');
}
