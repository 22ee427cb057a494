/**
 * What happened, as JSON lines in a file: for tests and for reports of mistakes.
 *
 * Off unless a file is named. Knows nothing of who writes what.
 */

import { appendFileSync } from "node:fs";

export class Trace {
  private broken = false;

  constructor(private readonly file: string | undefined) {}

  /** Write one line at once; a file that cannot be written ends the tracing, nothing else. */
  write(what: string, fields: Readonly<Record<string, unknown>> = {}): void {
    if (this.file === undefined || this.file === "" || this.broken) {
      return;
    }
    try {
      appendFileSync(this.file, `${JSON.stringify({ at: Date.now() / 1000, what, ...fields })}\n`);
    } catch {
      this.broken = true;
    }
  }
}
