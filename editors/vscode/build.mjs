// Bundles the extension into one file, or its unit tests into build/test.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
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
  legalComments: "none",
  metafile: true,
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

/** Write the licences of all packages that went into the bundle beside it. */
function writeLicences({ inputs }) {
  const folders = Object.keys(inputs).map(
    (file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1],
  );
  const texts = [...new Set(folders)]
    .filter(Boolean)
    .sort()
    .map((folder) => {
      const { name, version } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
      const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
      if (file === undefined) {
        throw new Error(`${folder} has no licence text`);
      }
      return `${name} ${version}\n\n${readFileSync(`${folder}/${file}`, "utf8").trim()}\n`;
    });
  writeFileSync("dist/licences.txt", texts.join(`\n${"-".repeat(80)}\n\n`));
}

if (flags.has("--watch")) {
  await (await context(extension)).watch();
} else if (flags.has("--tests")) {
  await build(tests);
} else {
  const { metafile } = await build(extension);
  writeLicences(metafile);
}
