import { describe, expect, it } from 'vitest';
import { chooseNetwork } from './subnet.ts';

describe('chooseNetwork', () => {
  it('takes the first /24', () => {
    expect(chooseNetwork(['192.0.2.0/24', '127.0.0.1'])).toBe('10.213.0');
  });

  it('passes over networks, single addresses and wider routes', () => {
    expect(chooseNetwork(['10.213.0.0/24', '10.213.1.77', '10.213.2.0/23'])).toBe('10.213.4');
  });

  it('says so where a route covers all', () => {
    expect(() => chooseNetwork(['10.0.0.0/8'])).toThrow(/every \/24 of it overlaps.*\n {2}next: .*understudy down/);
  });
});
