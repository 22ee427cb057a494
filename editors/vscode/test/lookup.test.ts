import assert from "node:assert/strict";
import { test } from "node:test";

import { findServer, type Machine } from "../src/server/lookup";

function machine(programs: string[], changes: Partial<Machine> = {}): Machine {
  return {
    setting: "",
    trusted: true,
    interpreters: [],
    folders: ["/home/ada/shop"],
    path: ["/usr/bin"],
    home: "/home/ada",
    windows: false,
    isProgram: (file) => programs.includes(file),
    ...changes,
  };
}

function found(programs: string[], changes: Partial<Machine> = {}): string {
  const lookup = findServer(machine(programs, changes));
  return lookup.kind === "found" ? lookup.command : lookup.kind;
}

const EVERYWHERE = [
  "/opt/mine/greenloop-lsp",
  "/envs/a/bin/greenloop-lsp",
  "/home/ada/shop/.venv/bin/greenloop-lsp",
  "/usr/bin/greenloop-lsp",
  "/home/ada/.local/bin/greenloop-lsp",
  "/home/ada/.local/share/uv/tools/greenloop/bin/greenloop-lsp",
  "/home/ada/.local/share/pipx/venvs/greenloop/bin/greenloop-lsp",
];

test("the places are asked in order, the user's own setting first", () => {
  const changes = { interpreters: ["/envs/a/bin/python"] };
  assert.equal(
    found(EVERYWHERE, { ...changes, setting: "/opt/mine/greenloop-lsp" }),
    EVERYWHERE[0],
  );
  for (let first = 1; first < EVERYWHERE.length; first += 1) {
    assert.equal(found(EVERYWHERE.slice(first), changes), EVERYWHERE[first]);
  }
});

test("nothing of an untrusted workspace is a place to look", () => {
  const changes = { trusted: false, interpreters: ["/home/ada/shop/.venv/bin/python"] };
  assert.equal(found(["/home/ada/shop/.venv/bin/greenloop-lsp"], changes), "missing");
  assert.equal(found(["/usr/bin/greenloop-lsp"], changes), "/usr/bin/greenloop-lsp");
});

test("an entry of PATH inside an untrusted workspace is none", () => {
  const planted = "/home/ada/shop/tools/greenloop-lsp";
  const changes = { trusted: false, path: ["/home/ada/shop/tools/", "/usr/bin"] };
  assert.equal(found([planted], changes), "missing");
  assert.equal(found([planted], { ...changes, trusted: true }), planted);
  const beside = "/home/ada/shop-tools/greenloop-lsp";
  assert.equal(found([beside], { ...changes, path: ["/home/ada/shop-tools"] }), beside);
  const all = { trusted: false, folders: ["/"] };
  assert.equal(found(["/usr/bin/greenloop-lsp"], all), "/usr/bin/greenloop-lsp");
});

test("a relative entry of PATH is never used", () => {
  assert.equal(
    found(["./greenloop-lsp", "bin/greenloop-lsp"], { path: [".", "bin", ""] }),
    "missing",
  );
});

test("a setting may begin with the home folder", () => {
  const programs = ["/home/ada/bin/greenloop-lsp"];
  assert.equal(found(programs, { setting: "~/bin/greenloop-lsp" }), programs[0]);
  assert.equal(found(programs, { setting: "${userHome}/bin/greenloop-lsp" }), programs[0]);
});

test("a setting that names no program is said, and nothing else is taken instead", () => {
  assert.deepEqual(findServer(machine(EVERYWHERE, { setting: "/nowhere/greenloop-lsp" })), {
    kind: "wrong-setting",
    path: "/nowhere/greenloop-lsp",
    why: "there is no program of this name",
  });
  assert.deepEqual(findServer(machine(EVERYWHERE, { setting: "bin/greenloop-lsp" })), {
    kind: "wrong-setting",
    path: "bin/greenloop-lsp",
    why: "it is not an absolute path",
  });
});

test("Windows has its own names and folders", () => {
  const windows = { windows: true, home: "C:\\Users\\ada", folders: ["C:\\shop"], path: [] };
  const venv = "C:\\shop\\.venv\\Scripts\\greenloop-lsp.exe";
  assert.equal(found([venv], windows), venv);
  const beside = "C:\\Python\\Scripts\\greenloop-lsp.exe";
  assert.equal(found([beside], { ...windows, path: ["C:\\Python\\Scripts\\"] }), beside);
});
