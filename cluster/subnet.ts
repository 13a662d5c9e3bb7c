import { Failure } from '../common/failure.ts';

const pool = '10.213';

interface Range {
  readonly first: number;
  readonly last: number;
}

const toNumber = (address: string): number =>
  address.split('.').reduce((sum, octet) => sum * 256 + Number.parseInt(octet, 10), 0);

const toRange = (destination: string): Range => {
  const [address = '0.0.0.0', bits = '32'] = destination.split('/');
  const size = 2 ** (32 - Number.parseInt(bits, 10));
  const first = Math.floor(toNumber(address) / size) * size;
  return { first, last: first + size - 1 };
};

/**
 * Chooses the /24 of a new cluster: the first of 10.213.0.0/16 that overlaps none of the machine's routes.
 * @param destinations of all IPv4 routes but the default one: `10.0.0.0/8`, `192.0.2.7`
 * @returns the first three octets
 * @throws Failure where all 256 are taken
 */
export const chooseNetwork = (destinations: readonly string[]): string => {
  const taken = destinations.map(toRange);
  for (let third = 0; third < 256; third++) {
    const network = `${pool}.${third}`;
    const range = toRange(`${network}.0/24`);
    if (!taken.some((other) => other.first <= range.last && range.first <= other.last)) return network;
  }
  throw new Failure({
    tried: `find a free network for the cluster in ${pool}.0.0/16`,
    got: 'every /24 of it overlaps a route of this machine',
    next: "remove clusters that are not needed ('understudy down <stack>'), or the route that 'ip route' shows over this range",
  });
};
