/**
 * How a run is put into words and icons: tree, progress, status bar, log, message at the end.
 *
 * Pure. Icons are names of VS Code's product icons, colours are theme colours.
 */

import type { Attempt, LogLine, RunLine } from "../protocol";

export interface Icon {
  name: string;
  color?: string;
}

const GREEN = "testing.iconPassed";
const RED = "testing.iconFailed";
const YELLOW = "list.warningForeground";

/** The icon of a run: what goes on, or what came out. */
export function runIcon(line: RunLine): Icon {
  if (line.state === "waiting") {
    return { name: "clock" };
  }
  if (line.state === "running") {
    return { name: "sync~spin" };
  }
  return verdictIcon(line.verdict, line.confidence);
}

/** The icon of a verdict of a run, of a candidate, of a measurement. */
export function verdictIcon(verdict: string, confidence = ""): Icon {
  switch (verdict) {
    case "green":
      return confidence === "ambiguous"
        ? { name: "question", color: YELLOW }
        : { name: "pass-filled", color: GREEN };
    case "passed":
      return { name: "pass", color: GREEN };
    case "failed":
    case "regressed":
    case "broken":
    case "tampered":
      return { name: "error", color: RED };
    case "error":
    case "infrastructure":
      return { name: "warning", color: RED };
    case "interrupted":
      return { name: "debug-pause", color: YELLOW };
    case "":
      return { name: "circle-outline" };
    default:
      return { name: "circle-slash", color: YELLOW };
  }
}

export function attemptIcon(attempt: Attempt): Icon {
  switch (attempt.state) {
    case "running":
      return { name: "sync~spin" };
    case "green":
      return { name: "pass-filled", color: GREEN };
    case "error":
      return { name: "warning", color: RED };
    case "interrupted":
      return { name: "debug-pause", color: YELLOW };
    case "gave_up":
    case "test_is_wrong":
    case "budget":
    case "stalled":
      return { name: "circle-slash", color: YELLOW };
  }
}

/** What stands behind a run's title in the tree. */
export function runDescription(line: RunLine, nowS: number): string {
  if (line.state === "waiting") {
    return "waits its turn";
  }
  if (line.state === "running") {
    const seconds = duration(nowS - line.startedAt);
    return line.here ? `${progressText(line)} · ${seconds}` : `${progressText(line)} · elsewhere`;
  }
  const parts = [outcome(line), reviewed(line), age(nowS - (line.endedAt ?? line.startedAt))];
  return parts.filter((part) => part !== "").join(" · ");
}

/** The verdict, with how sure it may be. */
export function outcome(line: RunLine): string {
  const verdict = line.verdict === "none" ? "nothing found" : line.verdict;
  if (line.state === "interrupted") {
    return "interrupted";
  }
  return line.confidence === "" ? verdict : `${verdict}, ${line.confidence}`;
}

function reviewed(line: RunLine): string {
  const { hunks } = line;
  if (hunks === undefined || hunks.open + hunks.accepted + hunks.rejected === 0) {
    return "";
  }
  const parts = [
    hunks.open > 0 ? `${hunks.open} to review` : "",
    hunks.accepted > 0 ? `${hunks.accepted} accepted` : "",
    hunks.rejected > 0 ? `${hunks.rejected} rejected` : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}

/** What goes on, for a notification: phase, percent where it is known, and what is done. */
export function progressText(line: RunLine): string {
  if (line.state === "waiting") {
    return "waits for other runs";
  }
  const percent = line.percent === undefined ? "" : ` ${Math.floor(line.percent)} %`;
  const phase = line.phase === "" ? "starting" : line.phase;
  // The engine's own words often begin with the phase, or with what one does in it.
  const { doing } = line;
  const isSaid = doing.startsWith(phase) && percent === "";
  if (isSaid && /^\w/.test(doing.slice(phase.length))) {
    return doing;
  }
  const rest = isSaid ? doing.slice(phase.length).replace(/^[\s:·,]+/, "") : doing;
  return rest === "" ? phase + percent : `${phase}${percent} · ${rest}`;
}

/** A run's name: its kind and what it is about, in a line; a test run's title says both. */
export function runName(line: RunLine): string {
  if (line.kind === "test") {
    return line.title;
  }
  const word = { fix: "Fix", implement: "Implement" }[line.kind];
  const says = line.title.toLowerCase().startsWith(word.toLowerCase());
  return says ? line.title : `${word} ${line.title}`;
}

export type EndButton = "review" | "acceptAll" | "log" | "resume" | "fix" | "status";

export interface EndMessage {
  level: "info" | "warning" | "error" | "quiet";
  text: string;
  buttons: EndButton[];
}

/** What to say at the end of a run, and what may be done about it. */
export function endMessage(line: RunLine): EndMessage {
  const said = line.message === "" ? outcome(line) : line.message;
  const text = `${runName(line)}: ${said}`;
  if (line.state === "interrupted" || line.verdict === "interrupted") {
    return { level: "info", text, buttons: line.canResume ? ["resume", "log"] : ["log"] };
  }
  switch (line.verdict) {
    case "green": {
      const sure = line.confidence === "likely" || line.confidence === "";
      const buttons: EndButton[] = sure ? ["review", "acceptAll"] : ["review"];
      return { level: "info", text, buttons: line.canReview ? buttons : ["log"] };
    }
    case "passed":
      return { level: "quiet", text, buttons: [] };
    case "failed":
      return { level: "warning", text, buttons: ["fix", "log"] };
    case "error":
    case "infrastructure":
      return { level: "error", text, buttons: ["log", "status"] };
    default:
      return { level: "warning", text, buttons: ["log"] };
  }
}

/** One line of a run's log, with its edit indented beneath it. */
export function logText(line: LogLine): string {
  const head = `${clock(line.at)} ${line.kind.padEnd(7)} ${line.text}`;
  if (line.diff === undefined || line.diff === "") {
    return head;
  }
  const diff = line.diff
    .replace(/\n$/, "")
    .split("\n")
    .filter((each) => !/^(diff --git|index) /.test(each));
  return [head, ...diff.map((each) => `                 ${each}`)].join("\n");
}

/** Tokens and cost of an attempt, in a line. */
export function spent(attempt: Attempt): string {
  const tokens = attempt.promptTokens + attempt.outputTokens;
  const cost = attempt.costUsd === undefined ? "" : ` · $${attempt.costUsd.toFixed(3)}`;
  const cached =
    attempt.promptTokens > 0
      ? `, ${Math.round((100 * attempt.cachedTokens) / attempt.promptTokens)} % of the prompt cached`
      : "";
  return `${tokens.toLocaleString("en-US")} tokens${cached}${cost}`;
}

/** Seconds, as short as they can be said. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) {
    return `${whole} s`;
  }
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes} min ${whole % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** How long ago, roughly. */
export function age(seconds: number): string {
  if (seconds < 60) {
    return "just now";
  }
  if (seconds < 3600) {
    return `${Math.floor(seconds / 60)} min ago`;
  }
  return seconds < 86_400
    ? `${Math.floor(seconds / 3600)} h ago`
    : `${Math.floor(seconds / 86_400)} d ago`;
}

function clock(atS: number): string {
  return new Date(atS * 1000).toTimeString().slice(0, 8);
}

/** `3 hunks`, `1 hunk`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
