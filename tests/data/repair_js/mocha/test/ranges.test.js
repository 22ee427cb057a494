'use strict';

const assert = require('node:assert');
const { contains, overlap, size } = require('../lib/ranges');

describe('ranges', function () {
  let range;
  beforeEach(function () {
    range = { from: 2, to: 5 };
  });

  it('hold what lies between their ends', function () {
    assert.ok(contains(range, 4));
    assert.ok(contains(range, 5));
  });
  it('hold their first number', function () {
    assert.ok(contains(range, 2));
  });
  it('do not hold what lies outside', function () {
    assert.ok(!contains(range, 1));
    assert.ok(!contains(range, 6));
  });
  it('have a size', function () {
    assert.strictEqual(size(range), 4);
  });
  it('overlap where they share a number', function () {
    assert.ok(overlap(range, { from: 5, to: 9 }));
    assert.ok(!overlap(range, { from: 6, to: 9 }));
  });
});
