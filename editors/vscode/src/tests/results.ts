/**
 * Outcomes of tests as VS Code takes them: state, message at its line, frames that led there.
 */

import * as vscode from "vscode";

import type { TestFailure, TestOutcome } from "../protocol";

/** Tell a run of tests how one of them came out. */
export function report(run: vscode.TestRun, item: vscode.TestItem, outcome: TestOutcome): void {
  const milliseconds = outcome.durationS * 1000;
  switch (outcome.outcome) {
    case "passed":
    case "xfailed":
      run.passed(item, milliseconds);
      return;
    case "skipped":
      run.skipped(item);
      return;
    case "failed":
    case "xpassed":
      run.failed(item, messageOf(outcome), milliseconds);
      return;
    case "error":
      run.errored(item, messageOf(outcome), milliseconds);
      return;
  }
}

function messageOf(outcome: TestOutcome): vscode.TestMessage {
  const { failure } = outcome;
  const fallback =
    outcome.outcome === "xpassed" ? "It passes, though it is marked to fail." : "It fails.";
  const message = new vscode.TestMessage(
    failure === undefined || failure.message === "" ? fallback : failure.message,
  );
  if (failure !== undefined && failure.uri !== "") {
    message.location = new vscode.Location(vscode.Uri.parse(failure.uri), rangeOf(failure.range));
    message.stackTrace = stackOf(failure);
  }
  return message;
}

/** Innermost first, as VS Code lists them. */
function stackOf(failure: TestFailure): vscode.TestMessageStackFrame[] {
  return [...failure.frames].reverse().map((frame) => {
    const uri = vscode.Uri.parse(frame.uri);
    return new vscode.TestMessageStackFrame(
      frame.function,
      uri,
      new vscode.Position(frame.line, 0),
    );
  });
}

export function rangeOf(range: TestFailure["range"]): vscode.Range {
  const { start, end } = range;
  return new vscode.Range(start.line, start.character, end.line, end.character);
}
