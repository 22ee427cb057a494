// Holds package.json to the code and to the protocol.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

interface Property {
  scope: string;
  default: unknown;
  markdownDescription: string;
  enum?: unknown[];
  markdownEnumDescriptions?: string[];
}

interface Manifest {
  version: string;
  enabledApiProposals?: string[];
  capabilities: { untrustedWorkspaces: { restrictedConfigurations: string[] } };
  contributes: {
    commands: { command: string; icon?: string }[];
    menus: Record<string, { command?: string }[]>;
    keybindings: { command: string; when: string }[];
    configuration: { properties: Record<string, Property> };
    walkthroughs: { steps: { description: string; media: { markdown: string } }[] }[];
    viewsWelcome: { contents: string }[];
  };
}

const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;
const { contributes } = manifest;
const names = contributes.commands.map(({ command }) => command);
const properties = contributes.configuration.properties;

/** All source of the extension in one string. */
function source(): string {
  const files = readdirSync("src", { recursive: true, encoding: "utf8" });
  const texts = files.filter((file) => file.endsWith(".ts")).map((file) => join("src", file));
  return texts.map((file) => readFileSync(file, "utf8")).join("\n");
}

test("every command of the palette is registered", () => {
  const code = source();
  const decisions = ["accept", "reject", "reopen"];
  const registered = [...code.matchAll(/command\(\s*["`]([^"`]+)["`]/g)].flatMap(([, name = ""]) =>
    name.includes("${decision}")
      ? decisions.map((each) => name.replace("${decision}", each))
      : [name],
  );
  const missing = names.filter((name) => !registered.includes(name.replace("greenloop.", "")));
  assert.deepEqual(missing, []);
});

test("menus, keys, links and buttons name commands that exist", () => {
  const used = [
    ...Object.values(contributes.menus).flatMap((entries) => entries.map(({ command }) => command)),
    ...contributes.keybindings.map(({ command }) => command),
    ...[...JSON.stringify(contributes).matchAll(/command:(greenloop\.\w+)/g)].map(
      ([, name]) => name,
    ),
    ...[...source().matchAll(/"(greenloop\.(?!server|isReady|failing|inReview)\w+)"/g)].map(
      ([, name]) => name,
    ),
  ];
  // Not in the palette: lenses and code actions bring their own params.
  const inner = ["greenloop.start", "greenloop.test", "greenloop.showHunk", "greenloop.runs"];
  const settings = Object.keys(properties);
  const others = ["greenloop.status", "greenloop.check"];
  const known = new Set([...names, ...inner, ...settings, ...others, undefined]);
  assert.deepEqual(
    used.filter((name) => !known.has(name)),
    [],
  );
});

test("keys work in a proposal alone", () => {
  for (const { when } of contributes.keybindings) {
    assert.match(when, /^resourceScheme == greenloop-proposal/);
  }
});

test("every setting of the protocol can be set, and no workspace decides on what is sent where", () => {
  const interfaceText = /interface Settings \{([\s\S]*?)\n\}/.exec(
    readFileSync("src/protocol.ts", "utf8"),
  );
  const wanted = [...(interfaceText?.[1] ?? "").matchAll(/^ {2}(\w+):/gm)].map(
    ([, name = ""]) => name,
  );
  assert.ok(wanted.length > 8);
  for (const name of wanted) {
    assert.ok(properties[`greenloop.${name}`], `greenloop.${name}`);
  }
  for (const name of ["model", "backend", "server.path", "trace.file"]) {
    assert.equal(properties[`greenloop.${name}`]?.scope, "machine", name);
  }
  const restricted = manifest.capabilities.untrustedWorkspaces.restrictedConfigurations;
  assert.deepEqual(
    restricted.filter((name) => !(name in properties)),
    [],
  );
});

test("every setting and each of its values is described", () => {
  for (const [name, property] of Object.entries(properties)) {
    assert.ok(property.markdownDescription.length > 20, name);
    assert.equal(property.enum?.length, property.markdownEnumDescriptions?.length, name);
  }
});

test("no proposed API is asked for", () => {
  assert.equal(manifest.enabledApiProposals, undefined);
});

test("the walkthrough's pages are there, and its texts are plain", () => {
  for (const { description, media } of contributes.walkthroughs.flatMap(({ steps }) => steps)) {
    assert.ok(existsSync(media.markdown), media.markdown);
    assert.ok(!/[`*]/.test(description), description);
  }
});

test(
  "the extension has the server's version",
  { skip: !existsSync("../../agent/__init__.py") },
  () => {
    const code = readFileSync("../../agent/__init__.py", "utf8");
    assert.equal(/__version__ = "([^"]+)"/.exec(code)?.[1], manifest.version);
  },
);
