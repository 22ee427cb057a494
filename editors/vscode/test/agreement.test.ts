import assert from "node:assert/strict";
import { test } from "node:test";

import { PROTOCOL } from "../src/protocol";
import { introduction, mismatch } from "../src/server/agreement";

function answer(protocol: unknown): object {
  return {
    capabilities: { experimental: { greenloop: { protocol } } },
    serverInfo: { name: "greenloop-lsp", version: "0.1.0" },
  };
}

test("a server of the same protocol fits", () => {
  assert.equal(mismatch(introduction(answer(PROTOCOL)), "/bin/greenloop-lsp"), "");
});

test("an older and a newer server say which of the two has to be updated", () => {
  assert.match(mismatch(introduction(answer(PROTOCOL + 1)), "x"), /Update the extension\.$/);
  assert.match(mismatch(introduction(answer(PROTOCOL - 1)), "x"), /uv tool upgrade greenloop$/);
});

test("a program that is no Greenloop server is said to be none, whatever it answers", () => {
  for (const strange of [undefined, null, 7, "pylsp", {}, { capabilities: null }, answer("1")]) {
    assert.match(mismatch(introduction(strange), "/bin/pylsp"), /^\/bin\/pylsp does not answer/);
  }
});
