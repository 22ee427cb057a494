import assert from "node:assert/strict";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { Trace } from "../src/trace";

test("each entry is a line of JSON that is there at once", () => {
  const file = join(mkdtempSync(join(tmpdir(), "trace-")), "trace.jsonl");
  const trace = new Trace(file);
  trace.write("command", { id: "greenloop.fix" });
  trace.write("activated");
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    entries.map(({ what, id }) => [what, id]),
    [
      ["command", "greenloop.fix"],
      ["activated", undefined],
    ],
  );
  assert.ok(entries.every(({ at }) => typeof at === "number"));
});

test("without a file, or with one that cannot be written, nothing happens", () => {
  new Trace(undefined).write("x");
  new Trace("").write("x");
  new Trace("/nonexistent/folder/trace.jsonl").write("x");
});
