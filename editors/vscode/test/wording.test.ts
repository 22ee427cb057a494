import assert from "node:assert/strict";
import { test } from "node:test";

import {
  age,
  attemptIcon,
  duration,
  endMessage,
  logText,
  progressText,
  runDescription,
  runIcon,
  runName,
  spent,
  verdictIcon,
} from "../src/runs/wording";
import { aGreenRun, anAttempt, aRun } from "./samples";

test("a run that goes on says its phase, how far it is, and what is done", () => {
  assert.equal(progressText(aRun()), "search · 426 tried");
  assert.equal(
    progressText(aRun({ phase: "baseline", percent: 41.9, doing: "" })),
    "baseline 41 %",
  );
  assert.equal(progressText(aRun({ doing: "search: 9 tried" })), "search · 9 tried");
  assert.equal(progressText(aRun({ doing: "searching" })), "searching");
  assert.equal(progressText(aRun({ phase: "", doing: "" })), "starting");
  assert.equal(progressText(aRun({ state: "waiting" })), "waits for other runs");
});

test("a run is named by its kind and what it is about, once", () => {
  assert.equal(runName(aRun()), "Fix every failing test");
  assert.equal(
    runName(aRun({ kind: "implement", title: "Implement `total`" })),
    "Implement `total`",
  );
});

test("a run of tests has its title for a name", () => {
  assert.equal(runName(aRun({ kind: "test", title: "Run all tests" })), "Run all tests");
});

test("behind a run stands how long it runs, or what came of it", () => {
  assert.equal(runDescription(aRun(), 1065), "search · 426 tried · 1 min 5 s");
  assert.equal(runDescription(aRun({ here: false }), 1065), "search · 426 tried · elsewhere");
  const reviewed = { open: 1, accepted: 2, rejected: 3 };
  assert.equal(
    runDescription(aGreenRun({ hunks: reviewed }), 1300),
    "green, likely · 1 to review, 2 accepted, 3 rejected · 4 min ago",
  );
  assert.equal(
    runDescription(aRun({ state: "finished", verdict: "none", endedAt: 1000 }), 1000),
    "nothing found · just now",
  );
});

test("icons tell green, doubtful, red and going on apart", () => {
  assert.equal(runIcon(aRun()).name, "sync~spin");
  assert.equal(runIcon(aRun({ state: "waiting" })).name, "clock");
  assert.equal(runIcon(aGreenRun()).name, "pass-filled");
  assert.equal(runIcon(aGreenRun({ confidence: "ambiguous" })).name, "question");
  assert.equal(verdictIcon("regressed").name, "error");
  assert.equal(verdictIcon("infrastructure").name, "warning");
  assert.equal(verdictIcon("interrupted").name, "debug-pause");
  assert.equal(verdictIcon("a verdict of tomorrow").name, "circle-slash");
  assert.equal(attemptIcon(anAttempt({ state: "stalled" })).name, "circle-slash");
});

test("the end of a green run offers the review, and accepting all where it is sure", () => {
  assert.deepEqual(endMessage(aGreenRun()), {
    level: "info",
    text: "Fix every failing test: 2 tests fixed, nothing else broken",
    buttons: ["review", "acceptAll"],
  });
  assert.deepEqual(endMessage(aGreenRun({ confidence: "ambiguous" })).buttons, ["review"]);
});

test("every other end offers what helps then", () => {
  const end = (verdict: string, changes = {}): string => {
    const { level, buttons } = endMessage(aRun({ state: "finished", verdict, ...changes }));
    return `${level}: ${buttons.join(" ")}`;
  };
  assert.equal(end("none"), "warning: log");
  assert.equal(end("failed"), "warning: fix log");
  assert.equal(end("passed"), "quiet: ");
  assert.equal(end("infrastructure"), "error: log status");
  assert.equal(end("interrupted", { canResume: true }), "info: resume log");
});

test("a log line has its edit beneath it, without git's own lines", () => {
  const diff =
    "diff --git a/a.py b/a.py\nindex 1..2\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-a\n+b\n";
  const lines = logText({ number: 0, at: 0, kind: "tool", text: "edit a.py", diff }).split("\n");
  assert.match(lines[0] ?? "", /^\d\d:\d\d:\d\d tool {4}edit a\.py$/);
  assert.deepEqual(
    lines.slice(1).map((line) => line.trim()),
    ["--- a/a.py", "+++ b/a.py", "@@ -1 +1 @@", "-a", "+b"],
  );
});

test("times and tokens are said shortly", () => {
  assert.deepEqual(
    [duration(-1), duration(59.4), duration(61), duration(3700)],
    ["0 s", "59 s", "1 min 1 s", "1 h 1 min"],
  );
  assert.deepEqual(
    [age(5), age(61), age(7300), age(200_000)],
    ["just now", "1 min ago", "2 h ago", "2 d ago"],
  );
  assert.equal(
    spent(anAttempt({ costUsd: 0.0123 })),
    "1,234 tokens, 25 % of the prompt cached · $0.012",
  );
  assert.equal(spent(anAttempt({ promptTokens: 0, cachedTokens: 0 })), "234 tokens");
});
