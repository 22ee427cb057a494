import { describe, expect, it } from 'vitest';

import { addressOf, label, port, type Target } from './route';

const here: Target = { name: 'here', host: { address: '10.0.0.1', port: 8080 } };

describe('addressOf', () => {
  it('is that of the host', () => {
    expect(addressOf(here)).toBe('10.0.0.1');
  });
  it('is none without a host', () => {
    expect(addressOf({ name: 'nowhere' })).toBeUndefined();
  });
});

it.each([
  [here, 8080],
  [{ name: 'nowhere' }, 80],
])('the port of %o', (target, expected) => {
  expect(port(target, 80)).toBe(expected);
});

it('has a label', () => {
  expect(label(here)).toBe('here:8080');
});
