import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';

import { balance, largest, overdrawn } from '../src/ledger.js';

const booked = (...amounts) => amounts.map((amount) => ({ amount }));

describe('balance', () => {
  it('adds every entry', () => {
    assert.equal(balance(booked(5, 7, 9)), 21);
  });
  it('counts the only entry', () => {
    assert.equal(balance(booked(4)), 4);
  });
  it('is nothing without entries', () => {
    assert.equal(balance([]), 0);
  });
  it('does not mind a first entry of nothing', () => {
    assert.equal(balance(booked(0, 3)), 3);
  });
});

test('the largest entry is found', () => {
  assert.equal(largest(booked(1, 8, 3)).amount, 8);
});

test('an account below zero is overdrawn', () => {
  assert.equal(overdrawn(booked(0, -2)), true);
  assert.equal(overdrawn(booked(0, 2)), false);
});
