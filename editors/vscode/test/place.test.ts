import assert from "node:assert/strict";
import { test } from "node:test";

import {
  checkText,
  decidedText,
  hunkAt,
  hunkBeyond,
  hunkLine,
  hunkLines,
  hunkNumbers,
  hunkTitle,
  isKnownNotGreen,
  topLine,
} from "../src/review/place";
import { aFile, aHunk, aProposal } from "./samples";

const FIRST = aHunk("a", 4, { proposed: { line: 4, count: 3 } });
const SECOND = aHunk("b", 20, { proposed: { line: 22, count: 0 }, state: "rejected" });
const THIRD = aHunk("c", 0);
const CART = aFile("cart.py", [FIRST, SECOND]);
const PROPOSAL = aProposal([CART, aFile("price.py", [THIRD])]);

test("hunks are numbered through all files", () => {
  assert.deepEqual(
    [...hunkNumbers(PROPOSAL)],
    [
      ["a", 1],
      ["b", 2],
      ["c", 3],
    ],
  );
});

test("a hunk is drawn at its line, and never beyond the text", () => {
  assert.equal(hunkLine(FIRST, 100), 4);
  assert.equal(hunkLine(SECOND, 10), 9);
  assert.equal(hunkLine(SECOND, 0), 0);
  assert.deepEqual(hunkLines(FIRST, 100), [4, 6]);
  assert.deepEqual(hunkLines(FIRST, 6), [4, 5]);
  assert.equal(hunkLines(SECOND, 100), undefined);
});

test("the words on a file stand where a folded diff still shows them", () => {
  assert.equal(topLine(CART, 100), 1);
  assert.equal(topLine(aFile("far.py", [aHunk("x", 50)]), 100), 47);
  assert.equal(topLine(aFile("none.py", []), 100), 0);
});

test("the cursor means the hunk that holds it, else the nearest", () => {
  assert.equal(hunkAt(CART, 5)?.id, "a");
  assert.equal(hunkAt(CART, 0)?.id, "a");
  assert.equal(hunkAt(CART, 21)?.id, "b");
  assert.equal(hunkAt(aFile("none.py", []), 0), undefined);
});

test("next and previous go from hunk to hunk and end at the file's ends", () => {
  assert.equal(hunkBeyond(CART, 0, "next")?.id, "a");
  assert.equal(hunkBeyond(CART, 4, "next")?.id, "b");
  assert.equal(hunkBeyond(CART, 22, "next"), undefined);
  assert.equal(hunkBeyond(CART, 22, "previous")?.id, "a");
  assert.equal(hunkBeyond(CART, 4, "previous"), undefined);
});

test("a hunk's title says where it is and what it does", () => {
  assert.equal(hunkTitle(aHunk("x", 8, { new: "b\nc\n" }), 2), "2: line 9, +2 −1");
  assert.equal(hunkTitle(aHunk("x", 8, { new: "" }), 1), "1: line 9, −1");
  assert.equal(hunkTitle(aHunk("x", 0, { kind: "add" }), 1), "1: new file");
});

test("the check says on how many hunks green was measured", () => {
  const whole = aProposal([aFile("a.py", [aHunk("a", 0), aHunk("b", 9)])]);
  assert.equal(checkText(whole), "$(pass) green, measured on all 2 hunks");
  assert.equal(checkText(PROPOSAL), "$(pass) green, measured on 2 of 3 hunks");
  assert.equal(checkText(aProposal([aFile("a.py", [aHunk("a", 0)])])), "$(pass) green, measured");
});

test("the check says which rejected hunk green needs", () => {
  const check = { state: "measured", verdict: "unchanged", message: "", receipt: "" } as const;
  assert.equal(checkText({ ...PROPOSAL, check }), "$(error) not green without hunk 2: unchanged");
  assert.equal(isKnownNotGreen({ ...PROPOSAL, check }), true);
  assert.equal(isKnownNotGreen(PROPOSAL), false);
});

test("a check that is under way, old or failed says so", () => {
  const text = (state: "running" | "stale" | "failed", message = ""): string =>
    checkText({ ...PROPOSAL, check: { state, verdict: "", message, receipt: "" } });
  assert.equal(text("running"), "$(sync~spin) measuring 2 of 3 hunks…");
  assert.equal(text("stale"), "$(question) not measured since the last change");
  assert.equal(text("failed", "no engine"), "$(warning) could not be measured: no engine");
});

test("with everything rejected there is nothing to measure", () => {
  const none = aProposal([aFile("a.py", [aHunk("a", 0, { state: "rejected" })])]);
  assert.equal(checkText(none), "$(circle-slash) everything is rejected");
});

test("what came of a decision is said with what was left out", () => {
  assert.equal(decidedText(2, 0, "accepted"), "2 hunks accepted");
  assert.equal(
    decidedText(1, 1, "accepted"),
    "1 hunk accepted; 1 meets newer text and was left out",
  );
  assert.equal(decidedText(0, 2, "accepted"), "2 hunks meet newer text and were left out");
  assert.equal(decidedText(0, 0, "accepted"), "");
});
