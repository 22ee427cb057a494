// Tells what mocha reports, a line of JSON for each thing that happened.
//
// Runs in mocha's process, which loads the tests and the code under test as well.

'use strict';

const { openSync, readFileSync, writeSync } = require('node:fs');

class Told {
  constructor(runner, options) {
    const stream = openSync(options.reporterOptions.output, 'a');
    const told = new Set();
    const tell = (value) => writeSync(stream, `${JSON.stringify(value)}\n`);
    const end = (test, outcome, error) => {
      told.add(test);
      tell({
        at: 'end',
        file: test.file,
        names: test.titlePath(),
        line: lineOf(test),
        seconds: (test.duration ?? 0) / 1000,
        outcome,
        ...(error === undefined ? {} : described(error)),
      });
    };
    runner.on('test', (test) => tell({ at: 'start', file: test.file, names: test.titlePath() }));
    runner.on('pass', (test) => end(test, 'passed'));
    runner.on('pending', (test) => end(test, 'skipped'));
    runner.on('fail', (test, error) => {
      for (const one of concerned(test, told)) end(one, 'failed', error);
    });
    runner.on('end', () => tell({ at: 'over' }));
  }
}

// What a hook that fails keeps from running fails with it; else the test that ran last does.
function concerned(test, told) {
  if (test.type !== 'hook') return [test];
  const kept = [];
  test.parent.eachTest((one) => {
    if (!told.has(one) && !one.isPending()) kept.push(one);
  });
  if (kept.length > 0) return kept;
  return test.ctx?.currentTest ? [test.ctx.currentTest] : [...told].slice(-1);
}

// Mocha does not say where a test stands: the first line that has its title in quotes.
const sources = new Map();
function lineOf(test) {
  if (!test.file) return 0;
  if (!sources.has(test.file)) sources.set(test.file, linesOf(test.file));
  const quoted = ["'", '"', '`'].map((quote) => quote + test.title + quote);
  return sources.get(test.file).findIndex((text) => quoted.some((one) => text.includes(one))) + 1;
}

function linesOf(file) {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
}

function described(error) {
  if (error === null || typeof error !== 'object') return { message: String(error) };
  return {
    type: String(error.name ?? ''),
    message: String(error.message ?? ''),
    stack: String(error.stack ?? ''),
  };
}

module.exports = Told;
