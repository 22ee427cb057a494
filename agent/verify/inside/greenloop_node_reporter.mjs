// Tells what Node's own test runner reports, a line of JSON for each thing that happened.
//
// Runs in the process that starts the test files, which does not load them where each file has a
// process of its own (the default).

import { resolve } from 'node:path';

const MOST_OUTPUT = 8000;

export default async function* tell(source) {
  const names = [];
  const output = new Map();
  for await (const { type, data } of source) {
    if (type === 'test:start') {
      names.length = data.nesting;
      names.push(data.name);
      yield line({ at: 'start', file: data.file, names: [...names] });
    } else if (type === 'test:pass' || type === 'test:fail') {
      names.length = data.nesting;
      yield line(ended(type === 'test:pass', [...names, data.name], data, output));
    } else if (type === 'test:stderr' || type === 'test:stdout') {
      const before = output.get(data.file) ?? '';
      output.set(data.file, (before + data.message).slice(-MOST_OUTPUT));
    }
  }
  yield line({ at: 'over' });
}

function ended(passed, names, data, output) {
  const details = data.details ?? {};
  const error = details.error;
  // A file without tests in it, or one that cannot be loaded, is told as a test of its own name.
  const whole = data.nesting === 0 && isPath(data.name, data.file);
  const told = {
    at: 'end',
    file: whole ? resolve(data.name) : data.file,
    names: whole ? [] : names,
    line: whole ? 0 : data.line ?? 0,
    seconds: (details.duration_ms ?? 0) / 1000,
    suite: details.type === 'suite',
    outcome: passed ? 'passed' : 'failed',
    kind: error?.failureType ?? '',
  };
  if (data.skip !== undefined && data.skip !== false) told.outcome = 'skipped';
  else if (data.todo !== undefined && data.todo !== false && !passed) told.outcome = 'xfailed';
  if (!passed) {
    Object.assign(told, described(error?.cause ?? error));
    if (whole) told.output = output.get(told.file) ?? output.get(data.name) ?? '';
  }
  return told;
}

function isPath(name, file) {
  if (!/[\\/.]/.test(name)) return false;
  return file === undefined || resolve(name) === file;
}

function described(error) {
  if (error === null || typeof error !== 'object') return { message: String(error) };
  return {
    type: error.name ?? '',
    message: String(error.message ?? ''),
    stack: String(error.stack ?? ''),
  };
}

function line(value) {
  return `${JSON.stringify(value)}\n`;
}
