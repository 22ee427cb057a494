/**
 * The runs this window knows of, newest first, as the server last told them.
 *
 * Pure. Draws nothing and asks nobody.
 */

import type { RunLine } from "../protocol";

export class RunTable {
  private readonly lines = new Map<string, RunLine>();
  private readonly listeners = new Set<(line: RunLine | undefined) => void>();

  /** Be told of a changed run, or of `undefined` when many may have changed. */
  listen(listener: (line: RunLine | undefined) => void): { dispose(): void } {
    this.listeners.add(listener);
    return { dispose: () => this.listeners.delete(listener) };
  }

  get(run: string): RunLine | undefined {
    return this.lines.get(run);
  }

  /** All of them, newest first. */
  all(): RunLine[] {
    return [...this.lines.values()].sort((a, b) => b.startedAt - a.startedAt);
  }

  /** Take one line in. */
  take(line: RunLine): void {
    this.lines.set(line.run, line);
    this.tell(line);
  }

  /**
   * A run that was broken off is under way again, as far as anybody can know.
   *
   * What was told last is that it had ended, and whoever watches it would take it for the new end.
   */
  goOn(run: string): void {
    const line = this.lines.get(run);
    if (line !== undefined && !isActive(line)) {
      const over = {
        canResume: false,
        canReview: false,
        canCancel: true,
        verdict: "",
        message: "",
      };
      this.take({ ...line, ...over, state: "waiting", phase: "", doing: "" });
    }
  }

  /** What the server knows altogether: what it does not name is gone. */
  replace(lines: readonly RunLine[]): void {
    this.lines.clear();
    for (const line of lines) {
      this.lines.set(line.run, line);
    }
    this.tell(undefined);
  }

  private tell(line: RunLine | undefined): void {
    for (const listener of this.listeners) {
      listener(line);
    }
  }
}

/** Whether something of it still goes on. */
export function isActive(line: RunLine): boolean {
  return line.state === "running" || line.state === "waiting";
}

/** Whether it holds a green patch that nobody has decided on yet. */
export function wantsReview(line: RunLine): boolean {
  return line.canReview && line.verdict === "green" && (line.hunks?.open ?? 0) > 0;
}
