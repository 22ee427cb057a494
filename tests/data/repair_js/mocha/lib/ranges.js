'use strict';

// Ranges of whole numbers, both ends included.

exports.contains = function (range, value) {
  return value >= range.from && range <= range.to;
};

exports.size = function (range) {
  return range.to - range.from + 1;
};

exports.overlap = function (one, other) {
  return exports.contains(one, other.from) || exports.contains(other, one.from);
};
