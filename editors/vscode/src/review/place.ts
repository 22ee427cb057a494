/**
 * Where hunks stand and how they and the check on them are put into words.
 *
 * Pure. Lines count from 0, as in the protocol; what people read counts from 1.
 */

import type { Hunk, Proposal, ProposalFile } from "../protocol";

/** Numbers of all hunks of a proposal by id, from 1, in the order of files and lines. */
export function hunkNumbers(proposal: Proposal): Map<string, number> {
  const ids = proposal.files.flatMap((file) => file.hunks.map((hunk) => hunk.id));
  return new Map(ids.map((id, index) => [id, index + 1]));
}

/** The line of the proposed text where something about a hunk is drawn. */
export function hunkLine(hunk: Hunk, lineCount: number): number {
  return Math.max(0, Math.min(hunk.proposed.line, lineCount - 1));
}

/**
 * The line that the words on a whole file stand above.
 *
 * Diffs of several files fold what is more than three lines away from a change, the first line too.
 */
export function topLine(file: ProposalFile, lineCount: number): number {
  const first = Math.min(...file.hunks.map((hunk) => hunkLine(hunk, lineCount)));
  return Number.isFinite(first) ? Math.max(0, first - 3) : 0;
}

/** First and last line of a hunk in the proposed text; undefined where it has none there. */
export function hunkLines(hunk: Hunk, lineCount: number): [number, number] | undefined {
  if (hunk.proposed.count === 0 || hunk.proposed.line >= lineCount) {
    return undefined;
  }
  const last = hunk.proposed.line + hunk.proposed.count - 1;
  return [hunk.proposed.line, Math.min(last, lineCount - 1)];
}

/** The hunk at a line: the one that holds it, else the nearest one. */
export function hunkAt(file: ProposalFile, line: number): Hunk | undefined {
  const distance = (hunk: Hunk): number => {
    const first = hunk.proposed.line;
    const last = first + Math.max(hunk.proposed.count, 1) - 1;
    return line < first ? first - line : Math.max(0, line - last);
  };
  return [...file.hunks].sort((a, b) => distance(a) - distance(b))[0];
}

/** The nearest hunk of the same file that begins after the line, or before it. */
export function hunkBeyond(
  file: ProposalFile,
  line: number,
  direction: "next" | "previous",
): Hunk | undefined {
  const sorted = [...file.hunks].sort((a, b) => a.proposed.line - b.proposed.line);
  return direction === "next"
    ? sorted.find((hunk) => hunk.proposed.line > line)
    : sorted.reverse().find((hunk) => hunk.proposed.line < line);
}

/** A hunk in a line, as lists name it. */
export function hunkTitle(hunk: Hunk, number: number): string {
  const what = {
    lines: linesChanged(hunk),
    add: "new file",
    delete: "file taken out",
    replace: "file replaced",
    mode: "mode changed",
  }[hunk.kind];
  return `${number}: ${what}`;
}

function linesChanged(hunk: Hunk): string {
  const taken = lineCount(hunk.old);
  const put = lineCount(hunk.new);
  const where = `line ${hunk.base.line + 1}`;
  return `${where}, ${[put > 0 ? `+${put}` : "", taken > 0 ? `−${taken}` : ""].join(" ").trim()}`;
}

function lineCount(text: string): number {
  return text === "" ? 0 : text.replace(/\n$/, "").split("\n").length;
}

/** What is known about what is left of a proposal, in a line with an icon. */
export function checkText(proposal: Proposal): string {
  const { check } = proposal;
  const hunks = proposal.files.flatMap((file) => file.hunks);
  const numbers = hunkNumbers(proposal);
  const rejected = hunks.filter((hunk) => hunk.state === "rejected");
  const left = hunks.length - rejected.length;
  switch (check.state) {
    case "running":
      return `$(sync~spin) measuring ${left} of ${hunks.length} hunks…`;
    case "failed":
      return `$(warning) could not be measured: ${check.message}`;
    case "stale":
      return "$(question) not measured since the last change";
    case "measured":
      break;
  }
  if (left === 0) {
    return "$(circle-slash) everything is rejected";
  }
  const confidence = proposal.confidence === "ambiguous" ? ", ambiguous" : "";
  if (check.verdict === "green") {
    const on = rejected.length === 0 ? "all" : `${left} of`;
    const what = hunks.length === 1 ? "" : ` on ${on} ${hunks.length} hunks`;
    return `$(pass) green${confidence}, measured${what}`;
  }
  if (rejected.length > 0 && proposal.verdict === "green") {
    const names = rejected.map((hunk) => numbers.get(hunk.id)).join(", ");
    return `$(error) not green without hunk ${names}: ${check.message || check.verdict}`;
  }
  return `$(error) ${check.verdict || "not measured"}${check.message === "" ? "" : `: ${check.message}`}`;
}

/** Whether an accept of what is left would put something in that is known not to be green. */
export function isKnownNotGreen(proposal: Proposal): boolean {
  return proposal.check.state === "measured" && proposal.check.verdict !== "green";
}

/** What came of a decision, in a line; "" where there is nothing to say. */
export function decidedText(done: number, conflicts: number, word: string): string {
  const hunks = (number: number): string => `${number} hunk${number === 1 ? "" : "s"}`;
  const taken = done === 0 ? "" : `${hunks(done)} ${word}`;
  if (conflicts === 0) {
    return taken;
  }
  const left =
    conflicts === 1 ? "meets newer text and was left out" : "meet newer text and were left out";
  return taken === "" ? `${hunks(conflicts)} ${left}` : `${taken}; ${conflicts} ${left}`;
}
