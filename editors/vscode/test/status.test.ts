import assert from "node:assert/strict";
import { test } from "node:test";

import type { Status } from "../src/protocol";
import { statusLines, statusText } from "../src/statusWording";

const READY: Status = {
  server: "0.1.0",
  repository: "/home/ada/shop",
  engine: { ok: true, text: "Docker 27", remedy: "" },
  model: { name: "", endpoint: "", text: "", remedy: "" },
  strategy: "auto",
  running: 0,
  waiting: 0,
};

test("the status bar says what matters most", () => {
  const text = (active: number, review: number, engineOk = true): string =>
    statusText({ active, review, server: "running", engineOk });
  assert.equal(text(0, 0), "$(beaker) Greenloop");
  assert.equal(text(0, 0, false), "$(warning) Greenloop");
  assert.equal(text(2, 0), "$(sync~spin) Greenloop 2");
  assert.equal(text(2, 1), "$(sync~spin) Greenloop 2 $(git-pull-request) 1");
  assert.equal(text(0, 1), "$(git-pull-request) Greenloop: 1 to review");
  const down = statusText({ active: 2, review: 1, server: "down", engineOk: true });
  assert.equal(down, "$(error) Greenloop");
});

test("the status names each part, with what to do where something is missing", () => {
  const engine = { ok: false, text: "engine: none answers", remedy: "start it" };
  const lines = statusLines({ ...READY, repository: "", engine });
  assert.deepEqual(
    lines.map(({ label, detail }) => [label, detail]),
    [
      ["Server: Greenloop 0.1.0", ""],
      ["Repository: none", "Open a folder of a git repository, or make one: git init"],
      ["Engine: none answers", "start it"],
      ["Model: none is set", ""],
      ["Strategy: auto", ""],
    ],
  );
});
