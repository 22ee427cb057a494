// Starts Node's test runner on the files that patterns name: older ones do not read patterns.
//
// Arguments: the options for node, `--`, then files, folders and patterns.

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const split = process.argv.indexOf('--');
const options = process.argv.slice(2, split);
const wanted = process.argv.slice(split + 1);
const known = wanted.some(isPattern) ? [...below('.')] : [];
const files = wanted.flatMap((one) => (isPattern(one) ? matching(one) : [one]));
if (files.length === 0) {
  console.error(`no file is named by ${wanted.join(' ')}`);
  process.exit(1);
}
const { status, signal } = spawnSync(process.execPath, [...options, ...files], {
  stdio: 'inherit',
});
process.exit(signal ? 128 : status);

function isPattern(text) {
  return /[*?[{]/.test(text);
}

function matching(pattern) {
  const regular = new RegExp(`^${translated(pattern.replace(/^\.\//, ''))}$`);
  return known.filter((path) => regular.test(path)).sort();
}

function* below(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules' || entry.name === '.git') continue;
    const path = folder === '.' ? entry.name : join(folder, entry.name);
    if (entry.isDirectory()) yield* below(path);
    else if (entry.isFile()) yield path;
  }
}

function translated(pattern) {
  return pattern.replace(/\*\*\/|\*\*|\*|\?|\{[^}]*\}|[.+^$()|\\]/g, (found) => {
    if (found === '**/') return '(?:.*/)?';
    if (found === '**') return '.*';
    if (found === '*') return '[^/]*';
    if (found === '?') return '[^/]';
    if (found.startsWith('{')) {
      return `(?:${found.slice(1, -1).split(',').map(translated).join('|')})`;
    }
    return `\\${found}`;
  });
}
