// Formats Lua with StyLua: format.mjs [--check] FILE... Exits with 1 when a file was not in form.
// The settings are those of editors/nvim/.stylua.toml, which the module cannot read by itself.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [modules, ...rest] = process.argv.slice(2);
const require = createRequire(resolve(modules, "node_modules", "here.js"));
const stylua = require("@johnnymorganz/stylua");

const check = rest[0] === "--check";
const [settings, ...files] = check ? rest.slice(1) : rest;

const wanted = Object.fromEntries(
  readFileSync(settings, "utf8")
    .split("\n")
    .filter((line) => line.includes("="))
    .map((line) => line.split("=").map((part) => part.trim().replaceAll('"', ""))),
);
// Made anew for each file: the module takes it away.
function config() {
  const made = stylua.Config.new();
  made.column_width = Number(wanted.column_width);
  made.indent_type = stylua.IndentType[wanted.indent_type];
  made.indent_width = Number(wanted.indent_width);
  made.quote_style = stylua.QuoteStyle[wanted.quote_style];
  made.syntax = stylua.LuaVersion[wanted.syntax];
  return made;
}

let odd = 0;
for (const file of files) {
  const before = readFileSync(file, "utf8");
  const after = stylua.formatCode(before, config(), undefined, stylua.OutputVerification.None);
  if (after === before) continue;
  odd += 1;
  if (check) {
    const [old, fresh] = [before.split("\n"), after.split("\n")];
    const line = old.findIndex((text, number) => text !== fresh[number]);
    console.log(`${file}:${line + 1}: is ${old[line]}\n    should be ${fresh[line]}`);
  } else {
    writeFileSync(file, after);
  }
}
process.exit(check && odd > 0 ? 1 : 0);
