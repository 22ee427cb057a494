import assert from "node:assert/strict";
import { test } from "node:test";

import { isActive, RunTable, wantsReview } from "../src/runs/table";
import { aGreenRun, aRun } from "./samples";

test("runs are listed newest first", () => {
  const table = new RunTable();
  table.take(aRun({ run: "old", startedAt: 1 }));
  table.take(aRun({ run: "new", startedAt: 2 }));
  assert.deepEqual(
    table.all().map((line) => line.run),
    ["new", "old"],
  );
});

test("listeners hear of one run, or that many may have changed", () => {
  const table = new RunTable();
  const heard: (string | undefined)[] = [];
  const listening = table.listen((line) => heard.push(line?.run));
  table.take(aRun({ run: "a" }));
  table.replace([aRun({ run: "b" })]);
  listening.dispose();
  table.take(aRun({ run: "c" }));
  assert.deepEqual(heard, ["a", undefined]);
});

test("what the server no longer names is gone", () => {
  const table = new RunTable();
  table.take(aRun({ run: "a" }));
  table.replace([aRun({ run: "b" })]);
  assert.equal(table.get("a"), undefined);
});

test("a run that is resumed is under way until somebody says otherwise", () => {
  const table = new RunTable();
  table.take(aRun({ run: "a", state: "interrupted", verdict: "interrupted", canResume: true }));
  table.goOn("a");
  const line = table.get("a");
  assert.deepEqual([line?.state, line?.verdict, line?.canResume], ["waiting", "", false]);
  table.take(aRun({ run: "a", phase: "gate" }));
  table.goOn("a");
  assert.equal(table.get("a")?.phase, "gate");
});

test("a green patch wants a review until nothing of it is open", () => {
  assert.equal(wantsReview(aGreenRun()), true);
  assert.equal(wantsReview(aGreenRun({ hunks: { open: 0, accepted: 2, rejected: 0 } })), false);
  assert.equal(wantsReview(aGreenRun({ verdict: "unchanged" })), false);
  assert.deepEqual(
    (["waiting", "running", "finished", "interrupted"] as const).map((state) =>
      isActive(aRun({ state })),
    ),
    [true, true, false, false],
  );
});
