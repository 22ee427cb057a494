/**
 * The protocol between editors and the language server, version 1.
 *
 * The interfaces are those of docs/protocol.md; a test holds the two together. Holds no behaviour.
 */

import type { Diagnostic, Range } from "vscode-languageserver-protocol";

/** The version this client speaks. */
export const PROTOCOL = 1;

export interface ErrorData {
  kind:
    | "bad_request"
    | "not_found"
    | "untrusted"
    | "no_repository"
    | "no_engine"
    | "no_model"
    | "not_ready"
    | "stale"
    | "failed";
  remedy: string;
}

export interface Options {
  settings?: Partial<Settings>;
  trusted?: boolean;
  client?: {
    runs?: boolean;
    review?: boolean;
    tests?: boolean;
    progress?: boolean;
  };
}

export interface Settings {
  strategy: "auto" | "offline" | "model";
  model: string;
  attempts: number;
  backend: "" | "docker" | "bubblewrap";
  runsAtOnce: number;
  onExit: "cancel" | "finish";
  saveOnAccept: boolean;
  recheckOnReject: boolean;
  codeLens: boolean;
  testDiagnostics: boolean;
}

export interface StartParams {
  kind: "fix" | "implement";
  folder?: string;
  goal?: string;
  targets?: string[];
  place?: { uri: string; range: Range };
  diagnostics?: Diagnostic[];
  strategy?: "auto" | "offline" | "model";
  model?: string;
  attempts?: number;
}

export interface RunLine {
  run: string;
  kind: "fix" | "implement" | "test";
  folder: string;
  title: string;
  state: "waiting" | "running" | "finished" | "interrupted";
  phase: "" | "workspace" | "environment" | "baseline" | "search" | "gate" | "minimise" | "patch";
  doing: string;
  percent?: number;
  verdict: string;
  confidence: "" | "likely" | "plausible" | "ambiguous";
  message: string;
  startedAt: number;
  endedAt?: number;
  hunks?: { open: number; accepted: number; rejected: number };
  here: boolean;
  canCancel: boolean;
  canResume: boolean;
  canReview: boolean;
}

export interface RunState extends RunLine {
  goal: string;
  targets: string[];
  strategy: string;
  environment: string;
  weaker: string;
  baseline?: { failing: string[]; passing: number; flaky: string[] };
  failures: TestFailure[];
  attempts: Attempt[];
  candidates: { rank: number; why: string; verdict: string; detail: string }[];
  ownTests: string[];
  options: { rank: number; confidence: string; why: string; patch: string }[];
  notes: string[];
  receipt: string;
  log: LogLine[];
}

export interface Attempt {
  attempt: number;
  model: string;
  endpoint: string;
  step: number;
  steps: number;
  state:
    | "running"
    | "green"
    | "gave_up"
    | "test_is_wrong"
    | "budget"
    | "stalled"
    | "error"
    | "interrupted";
  doing: string;
  plan: string[];
  promptTokens: number;
  cachedTokens: number;
  outputTokens: number;
  costUsd?: number;
}

export interface LogLine {
  number: number;
  at: number;
  kind: "phase" | "tests" | "search" | "model" | "tool" | "verdict" | "notice" | "end";
  text: string;
  diff?: string;
}

export interface TestFailure {
  id: string;
  uri: string;
  range: Range;
  message: string;
  frames: { uri: string; line: number; function: string }[];
}

export interface Status {
  server: string;
  repository: string;
  engine: { ok: boolean; text: string; remedy: string };
  model: { name: string; endpoint: string; text: string; remedy: string };
  strategy: string;
  running: number;
  waiting: number;
}

export interface Unit {
  kind: "test" | "suite" | "stub";
  id: string;
  name: string;
  range: Range;
  selectionRange: Range;
  parent: number;
}

export interface TestOutcome {
  id: string;
  outcome: "passed" | "failed" | "error" | "skipped" | "xfailed" | "xpassed";
  durationS: number;
  failure?: TestFailure;
}

export interface Proposal {
  run: string;
  folder: string;
  title: string;
  verdict: string;
  confidence: string;
  message: string;
  revision: number;
  check: Check;
  files: ProposalFile[];
  canUndo: boolean;
}

export interface Check {
  state: "measured" | "stale" | "running" | "failed";
  verdict: string;
  message: string;
  receipt: string;
}

export interface ProposalFile {
  path: string;
  uri: string;
  change: "modified" | "added" | "deleted" | "mode";
  binary: boolean;
  edited: boolean;
  baseUri: string;
  proposedUri: string;
  hunks: Hunk[];
}

export interface Hunk {
  id: string;
  kind: "lines" | "add" | "delete" | "replace" | "mode";
  state: "open" | "accepted" | "rejected";
  base: { line: number; count: number };
  proposed: { line: number; count: number };
  now?: { line: number; count: number };
  conflict?: string;
  old: string;
  new: string;
  neededFor: string[];
  ownTest: boolean;
}

export interface Decided {
  done: {
    path: string;
    uri: string;
    how: "buffer" | "disk";
    saved: boolean;
    save: boolean;
    hunks: string[];
  }[];
  conflicts: {
    path: string;
    hunks: string[];
    line: number;
    why: string;
    expected: string;
    found: string;
  }[];
  refused: string;
  proposal: Proposal;
}

export interface DecideParams {
  run: string;
  decision: "accept" | "reject" | "reopen";
  hunks?: string[];
  path?: string;
  evenIfNotGreen?: boolean;
}

/** Requests of a client by their name after `greenloop/`. */
export interface Requests {
  start: { params: StartParams; result: { run: string } };
  test: { params: { folder?: string; targets?: string[] }; result: { run: string } };
  cancel: { params: { run: string }; result: { cancelled: boolean } };
  resume: { params: { run: string }; result: { run: string } };
  runs: { params: { folder?: string; limit?: number }; result: { runs: RunLine[] } };
  run: { params: { run: string; logFrom?: number }; result: RunState };
  status: { params: { folder?: string }; result: Status };
  tests: { params: { uri: string }; result: { items: Unit[] } };
  testFiles: {
    params: { folder?: string };
    result: { files: { uri: string; path: string }[] };
  };
  proposal: { params: { run: string }; result: Proposal };
  content: {
    params: { uri: string };
    result: { text: string; exists: boolean; binary: boolean };
  };
  decide: { params: DecideParams; result: Decided };
  edit: { params: { run: string; path: string; text: string }; result: Proposal };
  check: { params: { run: string }; result: Proposal };
  undo: { params: { run: string }; result: Decided };
}

/** Notifications to a client by their name after `greenloop/`. */
export interface Notifications {
  "run/changed": RunLine;
  "run/log": { run: string; lines: LogLine[] };
  "proposal/changed": { run: string; revision: number };
  "tests/changed": { folder: string; run: string; results: TestOutcome[]; whole: boolean };
}
