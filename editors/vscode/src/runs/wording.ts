/**
 * How a run is put into words and icons: tree, progress, status bar, log, message at the end.
 *
 * Pure. Icons are names of VS Code's product icons, colours are theme colours.
 */

import type { Attempt, LogLine, RunLine, Status } from "../protocol";
import { isActive } from "./table";

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
  // The engine's own words often begin with the phase.
  const doing = line.doing.startsWith(phase) ? line.doing.slice(phase.length) : line.doing;
  const rest = doing.replace(/^[\s:·,]+/, "");
  return rest === "" ? phase + percent : `${phase}${percent}: ${rest}`;
}

/** Word of a run's kind, as the title of its progress begins. */
export function kindWord(line: RunLine): string {
  return { fix: "Fix", implement: "Implement", test: "Test" }[line.kind];
}

/** A run's name: what it is about, with its kind unless that says the same. */
export function runName(line: RunLine): string {
  const word = kindWord(line);
  return line.title.toLowerCase().startsWith(word.toLowerCase())
    ? line.title
    : `${word}: ${line.title}`;
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
  const diff = line.diff.replace(/\n$/, "").split("\n");
  return [head, ...diff.map((each) => `                 ${each}`)].join("\n");
}

/** The status bar's text. */
export function statusText(counts: {
  active: number;
  review: number;
  server: "running" | "starting" | "down";
  engineOk: boolean;
}): string {
  if (counts.server === "down") {
    return "$(error) Greenloop";
  }
  if (counts.server === "starting") {
    return "$(loading~spin) Greenloop";
  }
  if (counts.active > 0) {
    const more = counts.review > 0 ? ` $(git-pull-request) ${counts.review}` : "";
    return `$(sync~spin) Greenloop ${counts.active}${more}`;
  }
  if (counts.review > 0) {
    return `$(git-pull-request) Greenloop: ${counts.review} to review`;
  }
  return counts.engineOk ? "$(beaker) Greenloop" : "$(warning) Greenloop";
}

/** The state of server, engine and model, a line each, with what to do. */
export function statusLines(status: Status): string[] {
  const line = (name: string, text: string, remedy: string): string =>
    `${name}: ${text}${remedy === "" ? "" : ` — ${remedy}`}`;
  return [
    line("Server", status.server, ""),
    line("Repository", status.repository === "" ? "none" : status.repository, ""),
    line("Engine", status.engine.text, status.engine.ok ? "" : status.engine.remedy),
    line("Model", status.model.text || status.model.name || "none is set", status.model.remedy),
    line("Strategy", status.strategy, ""),
  ];
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

/** Runs that go on, and ones that wait for a review. */
export function countRuns(
  lines: readonly RunLine[],
  wants: (line: RunLine) => boolean,
): { active: number; review: number } {
  return { active: lines.filter(isActive).length, review: lines.filter(wants).length };
}
