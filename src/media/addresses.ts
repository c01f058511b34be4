/**
 * Which addresses a file may be downloaded from: the public Internet, and nothing of the network this server is in.
 *
 * The check sits in the lookup that the connection itself makes, so a name that resolves to another address a moment
 * later gains nothing. A name with one address that is not public is refused whole.
 * Source: IANA, special-purpose address registries of IPv4 and IPv6.
 */
import { type LookupAddress, type LookupAllOptions, lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { refusedHost } from './media-error.ts';

/** As `dns.lookup` with `all`. */
export type Resolve = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

const NOT_PUBLIC_V4 = blockList('ipv4', [
  ['0.0.0.0', 8], // this network
  ['10.0.0.0', 8], // private
  ['100.64.0.0', 10], // carrier-grade NAT
  ['127.0.0.0', 8], // loopback
  ['169.254.0.0', 16], // link-local, and the metadata of clouds
  ['172.16.0.0', 12], // private
  ['192.0.0.0', 24], // protocol assignments
  ['192.0.2.0', 24], // documentation
  ['192.88.99.0', 24], // 6to4 relays
  ['192.168.0.0', 16], // private
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, and broadcast
]);
/** All that is given out to the public so far; what is mapped, translated or local is elsewhere. */
const GLOBAL_V6 = blockList('ipv6', [['2000::', 3]]);
const NOT_PUBLIC_V6 = blockList('ipv6', [
  ['2001::', 23], // protocol assignments, with Teredo
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4: an IPv4 address within
  ['3fff::', 20], // documentation
]);
/** A network with IPv6 alone reaches IPv4 through these: the last 32 bits are the address that is meant. */
const NAT64 = blockList('ipv6', [['64:ff9b::', 96]]);

export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !NOT_PUBLIC_V4.check(address, 'ipv4');
  if (family !== 6 || address.includes('%')) return false; // with a zone it is local
  if (NAT64.check(address, 'ipv6')) return isPublicAddress(lastFourBytes(address));
  return GLOBAL_V6.check(address, 'ipv6') && !NOT_PUBLIC_V6.check(address, 'ipv6');
}

/** For the `lookup` of a request. Fails with `MEDIA_UNAVAILABLE`, and no connection is made. */
export function publicLookup(resolve: Resolve = lookup): LookupFunction {
  return (hostname, options, callback) => {
    const { family, hints } = options;
    const asked = {
      ...(family !== undefined && { family }),
      ...(hints !== undefined && { hints }),
      all: true,
    } as const;
    resolve(hostname, asked, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error || !first) callback(error ?? noAddress(), '');
      else if (!addresses.every(({ address }) => isPublicAddress(address))) callback(notPublic(), '');
      else if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

function blockList(family: 'ipv4' | 'ipv6', subnets: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of subnets) list.addSubnet(network, prefix, family);
  return list;
}

/** @param address of IPv6, in any of its spellings. */
function lastFourBytes(address: string): string {
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1); // groups in hexadecimal, `::` at most once
  const [high = '', low = ''] = canonical.replace('::', ':0:').split(':').slice(-2);
  const bits = (Number.parseInt(high || '0', 16) * 0x1_0000 + Number.parseInt(low || '0', 16)) >>> 0;
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 0xff).join('.');
}

function notPublic(): Error {
  return refusedHost('its host has an address that is not public');
}

function noAddress(): Error {
  return Object.assign(new Error('no address'), { code: 'ENOTFOUND' });
}
