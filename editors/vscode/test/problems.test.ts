import assert from "node:assert/strict";
import { test } from "node:test";

import { gone, missing, problemOf, sentence } from "../src/problems";

function refused(kind: string, message: string, remedy: string): object {
  return { code: -32803, message, data: { kind, remedy } };
}

test("a refusal says what is wrong and what to do, with a button for it", () => {
  const problem = problemOf(
    refused("no_repository", "/home/ada is in no git repository", "open another folder"),
  );
  assert.equal(problem.text, "/home/ada is in no git repository. Open another folder.");
  assert.deepEqual(
    problem.remedies.map((remedy) => remedy.label),
    ["Open Folder", "Initialize Repository"],
  );
});

test("every kind of refusal has words, and those that can be mended a button", () => {
  const buttons = Object.fromEntries(
    ["untrusted", "no_repository", "no_engine", "no_model", "not_ready", "failed", "stale"].map(
      (kind) => [kind, problemOf(refused(kind, "x", "")).remedies.map((each) => each.command)],
    ),
  );
  assert.deepEqual(buttons, {
    untrusted: ["workbench.trust.manage"],
    no_repository: ["workbench.action.files.openFolder", "git.init"],
    no_engine: ["greenloop.showStatus"],
    no_model: ["greenloop.openSettings", "greenloop.openWalkthrough"],
    not_ready: ["greenloop.showServerLog"],
    failed: ["greenloop.showServerLog"],
    stale: [],
  });
});

test("what the person cancelled is told as that", () => {
  assert.equal(problemOf({ code: -32800, message: "cancelled" }).kind, "cancelled");
});

test("only the first line of a failure is shown, and never that there is none", () => {
  assert.equal(problemOf(new Error("it broke\n  at a.ts:1")).text, "It broke.");
  assert.equal(problemOf(undefined).text, "The request failed.");
});

test("a server that is away can be restarted from the message", () => {
  const problem = gone("It ended.");
  assert.equal(problem.text, "The Greenloop server is not running. It ended.");
  assert.equal(problem.remedies[0]?.command, "greenloop.restartServer");
});

test("a server that is not there is installed, or its path set right", () => {
  const labels = (isSetting: boolean): string[] =>
    missing("it was not found", isSetting).remedies.map((remedy) => remedy.label);
  assert.deepEqual(labels(false), ["Copy Install Command", "Open Settings", "Try Again"]);
  assert.deepEqual(labels(true), ["Open Settings", "Try Again"]);
  assert.match(missing("it was not found", false).text, /^It was not found\. Install it: uv tool/);
});

test("sentences begin and end as such, and names stay as they are", () => {
  assert.equal(sentence("no engine answers"), "No engine answers.");
  assert.equal(sentence("shop/cart.py is binary"), "shop/cart.py is binary.");
  assert.equal(sentence("Set `model`"), "Set `model`.");
  assert.equal(sentence(" "), "");
});
