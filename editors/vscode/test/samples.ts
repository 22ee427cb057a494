// Values of the protocol for tests: whole ones, of which a test changes what it is about.

import type { Attempt, Hunk, Proposal, ProposalFile, RunLine } from "../src/protocol";

export function aRun(changes: Partial<RunLine> = {}): RunLine {
  return {
    run: "20261123-200000-aaaa",
    kind: "fix",
    folder: "file:///home/ada/shop",
    title: "every failing test",
    state: "running",
    phase: "search",
    doing: "426 tried",
    verdict: "",
    confidence: "",
    message: "",
    startedAt: 1000,
    here: true,
    canCancel: true,
    canResume: false,
    canReview: false,
    ...changes,
  };
}

export function aGreenRun(changes: Partial<RunLine> = {}): RunLine {
  return aRun({
    state: "finished",
    phase: "",
    doing: "",
    verdict: "green",
    confidence: "likely",
    message: "2 tests fixed, nothing else broken",
    endedAt: 1060,
    hunks: { open: 2, accepted: 0, rejected: 0 },
    canCancel: false,
    canReview: true,
    ...changes,
  });
}

export function anAttempt(changes: Partial<Attempt> = {}): Attempt {
  return {
    attempt: 1,
    model: "small",
    endpoint: "localhost",
    step: 4,
    steps: 300,
    state: "running",
    doing: "",
    plan: [],
    promptTokens: 1000,
    cachedTokens: 250,
    outputTokens: 234,
    ...changes,
  };
}

export function aHunk(id: string, line: number, changes: Partial<Hunk> = {}): Hunk {
  return {
    id,
    kind: "lines",
    state: "open",
    base: { line, count: 1 },
    proposed: { line, count: 1 },
    old: "a\n",
    new: "b\n",
    neededFor: [],
    ownTest: false,
    ...changes,
  };
}

export function aFile(path: string, hunks: Hunk[]): ProposalFile {
  return {
    path,
    uri: `file:///home/ada/shop/${path}`,
    change: "modified",
    binary: false,
    edited: false,
    baseUri: `greenloop-base:/${path}?run=1`,
    proposedUri: `greenloop-proposal:/${path}?run=1`,
    hunks,
  };
}

export function aProposal(files: ProposalFile[], changes: Partial<Proposal> = {}): Proposal {
  return {
    run: "1",
    folder: "file:///home/ada/shop",
    title: "every failing test",
    verdict: "green",
    confidence: "likely",
    message: "",
    revision: 1,
    check: { state: "measured", verdict: "green", message: "", receipt: "/receipt.json" },
    files,
    canUndo: false,
    ...changes,
  };
}
