/**
 * What stands beneath a run in the tree: its groups and their lines, from its state and its patch.
 *
 * Makes no items of VS Code's and asks nobody.
 */

import * as vscode from "vscode";

import type {
  Attempt,
  Hunk,
  LogLine,
  Proposal,
  ProposalFile,
  RunLine,
  RunState,
  TestFailure,
} from "../protocol";
import { allHunks } from "../review/proposals";
import { isActive } from "./table";
import { count, type Icon, spent, verdictIcon } from "./wording";

/** A line of the tree; `run` is there on each, so that menus know what they are about. */
export type Node =
  | { kind: "run"; run: string; line: RunLine }
  | {
      kind: "group";
      run: string;
      id: string;
      label: string;
      text: string;
      icon: string;
      inside: Node[];
      open: boolean;
    }
  | { kind: "attempt"; run: string; attempt: Attempt }
  | { kind: "failure"; run: string; failure: TestFailure }
  | { kind: "file"; run: string; proposal: Proposal; file: ProposalFile }
  | { kind: "hunk"; run: string; file: ProposalFile; hunk: Hunk; number: number }
  | {
      kind: "text";
      run: string;
      id: string;
      label: string;
      text: string;
      icon: Icon;
      tooltip: string;
      command?: vscode.Command;
    };

const LOG_LINES = 8;

/** The groups beneath a run, those with nothing in them left out. */
export function groups(state: RunState, proposal: Proposal | undefined): Node[] {
  const { run } = state;
  const nodes: Node[] = [];
  const group = (
    id: string,
    label: string,
    described: string,
    icon: string,
    inside: Node[],
    open = false,
  ): void => {
    if (inside.length > 0) {
      nodes.push({ kind: "group", run, id, label, text: described, icon, inside, open });
    }
  };
  if (state.message !== "") {
    nodes.push(
      text(
        run,
        "message",
        state.message,
        "",
        verdictIcon(state.verdict, state.confidence),
        state.message,
      ),
    );
  }
  if (proposal !== undefined) {
    const files: Node[] = proposal.files.map((file) => ({ kind: "file", run, proposal, file }));
    group("hunks", "Hunks", hunksText(proposal), "diff", files, true);
  }
  const attempts: Node[] = state.attempts.map((attempt) => ({ kind: "attempt", run, attempt }));
  group("attempts", "Attempts", String(attempts.length), "hubot", attempts, isActive(state));
  group(
    "candidates",
    "Candidates",
    `${state.candidates.length} measured`,
    "list-ordered",
    candidates(state),
  );
  group("tests", "Tests", testsText(state), "beaker", tests(state), state.kind === "test");
  group("notes", "Notes", "", "note", notes(state));
  if (state.receipt !== "") {
    const command = {
      title: "Show Evidence",
      command: "greenloop.showEvidence",
      arguments: [{ run }],
    };
    nodes.push(
      text(
        run,
        "receipt",
        "Evidence",
        "receipt of the measurement",
        { name: "verified" },
        state.receipt,
        command,
      ),
    );
  }
  group("log", "Log", count(lastNumber(state.log), "line"), "output", logNodes(run, state.log));
  return nodes;
}

function hunksText(proposal: Proposal): string {
  const open = allHunks(proposal).filter((hunk) => hunk.state === "open").length;
  return open === 0 ? "all decided" : `${open} to review`;
}

function candidates(state: RunState): Node[] {
  return state.candidates.map((each) =>
    text(
      state.run,
      `candidate${each.rank}`,
      each.why,
      each.verdict,
      verdictIcon(each.verdict),
      each.detail,
    ),
  );
}

function testsText(state: RunState): string {
  const { baseline } = state;
  return baseline === undefined
    ? ""
    : `${baseline.failing.length} failing, ${baseline.passing} passing`;
}

function tests(state: RunState): Node[] {
  const { run } = state;
  const known = new Set(state.failures.map((failure) => failure.id));
  const failing = state.baseline?.failing ?? [];
  return [
    ...state.failures.map((failure): Node => ({ kind: "failure", run, failure })),
    ...failing
      .filter((id) => !known.has(id))
      .map((id) =>
        text(run, `failing ${id}`, id, "fails", { name: "error", color: "testing.iconFailed" }),
      ),
    ...(state.baseline?.flaky ?? []).map((id) =>
      text(run, `flaky ${id}`, id, "flaky", { name: "question", color: "list.warningForeground" }),
    ),
    ...state.ownTests.map((id) =>
      text(run, `own ${id}`, id, "came with the patch", {
        name: "add",
        color: "testing.iconPassed",
      }),
    ),
  ];
}

function notes(state: RunState): Node[] {
  const lines = [
    ...(state.environment === "" ? [] : [`runs in ${state.environment}`]),
    ...(state.weaker === "" ? [] : [`not enforced there: ${state.weaker}`]),
    ...state.notes,
  ];
  return lines.map((line, index) =>
    text(state.run, `note${index}`, line, "", { name: "info" }, line),
  );
}

function logNodes(run: string, log: readonly LogLine[]): Node[] {
  const command = { title: "Show Log", command: "greenloop.showLog", arguments: [{ run }] };
  return log
    .slice(-LOG_LINES)
    .map((line) =>
      text(run, `log${line.number}`, line.text, line.kind, { name: "dash" }, line.text, command),
    );
}

function lastNumber(log: readonly LogLine[]): number {
  return (log.at(-1)?.number ?? -1) + 1;
}

export function attemptLines(run: string, attempt: Attempt): Node[] {
  const id = `attempt${attempt.attempt}`;
  return [
    ...(attempt.doing === ""
      ? []
      : [text(run, `${id}/doing`, attempt.doing, "", { name: "arrow-right" })]),
    ...attempt.plan.map((line, index) =>
      text(run, `${id}/plan${index}`, line.replace(/^\[.\]\s*/, ""), "", planIcon(line)),
    ),
    text(run, `${id}/spent`, spent(attempt), "", { name: "credit-card" }),
  ];
}

function planIcon(line: string): Icon {
  return {
    name: line.startsWith("[x]") ? "check" : line.startsWith("[-]") ? "dash" : "circle-outline",
  };
}

export function frames(run: string, failure: TestFailure): Node[] {
  return failure.frames.map((frame, index) =>
    text(
      run,
      `${failure.id}/frame${index}`,
      frame.function,
      `${baseName(frame.uri)}:${frame.line + 1}`,
      { name: "debug-stackframe" },
      "",
      goTo(frame.uri, frame.line),
    ),
  );
}

export function text(
  run: string,
  id: string,
  label: string,
  described: string,
  icon: Icon,
  tooltip = "",
  command?: vscode.Command,
): Node {
  const node = { kind: "text" as const, run, id, label, text: described, icon, tooltip };
  return command === undefined ? node : { ...node, command };
}

export function goTo(uri: string, line: number): vscode.Command {
  return {
    title: "Open",
    command: "vscode.open",
    arguments: [vscode.Uri.parse(uri), { selection: new vscode.Range(line, 0, line, 0) }],
  };
}

export function baseName(uri: string): string {
  return decodeURIComponent(uri.replace(/\/+$/, "").split("/").at(-1) ?? uri);
}
