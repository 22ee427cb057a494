// Bundles the extension into one file, or its unit tests into build/test.

import { readdirSync } from "node:fs";
import { build, context } from "esbuild";

const flags = new Set(process.argv.slice(2));
const common = { bundle: true, platform: "node", target: "node20", logLevel: "warning" };

const extension = {
  ...common,
  entryPoints: ["src/extension.ts"],
  outfile: "dist/extension.js",
  format: "cjs",
  external: ["vscode"],
  minify: flags.has("--production"),
  sourcemap: !flags.has("--production"),
  legalComments: "linked",
  // The packages' modules for bundlers: their other ones load each other in ways that cannot be.
  mainFields: ["module", "main"],
};

const tests = {
  ...common,
  entryPoints: readdirSync("test")
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => `test/${name}`),
  outdir: "build/test",
  outExtension: { ".js": ".mjs" },
  format: "esm",
  external: ["vscode"],
  sourcemap: "inline",
};

if (flags.has("--watch")) {
  await (await context(extension)).watch();
} else {
  await build(flags.has("--tests") ? tests : extension);
}
