// Starts vitest where `node_modules` is read-only.
//
// Vite writes a bundled configuration there first and looks for another place if that is forbidden,
// but not if the file system is read-only: so that is told as forbidden. Arguments: vitest's own.

'use strict';

const { existsSync, promises } = require('node:fs');
const { dirname, join } = require('node:path');
const { pathToFileURL } = require('node:url');

const mkdir = promises.mkdir;
promises.mkdir = async (path, options) => {
  try {
    return await mkdir(path, options);
  } catch (error) {
    if (String(path).includes('node_modules')) error.code = 'EACCES';
    throw error;
  }
};

let folder = process.cwd();
const program = () => join(folder, 'node_modules', 'vitest', 'vitest.mjs');
while (!existsSync(program()) && dirname(folder) !== folder) folder = dirname(folder);
if (!existsSync(program())) process.exit(127);
process.argv[1] = program();
import(pathToFileURL(program()).href);
