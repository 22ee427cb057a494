/**
 * Runs that were started from this window: a cancellable notification each, and a message at the end.
 *
 * Fed by the table of runs; a run whose server went away stays until the next server tells of it.
 */

import * as vscode from "vscode";

import type { RunLine } from "../protocol";
import type { Trace } from "../trace";
import { isActive, type RunTable } from "./table";
import { progressText, runName } from "./wording";

interface Watched {
  report(text: string): void;
  end(): void;
  wasCancelled: boolean;
}

export class Watching implements vscode.Disposable {
  private readonly watched = new Map<string, Watched>();
  private readonly listener: { dispose(): void };

  constructor(
    private readonly table: RunTable,
    private readonly trace: Trace,
    private readonly cancel: (run: string) => void,
    private readonly ended: (line: RunLine, wasCancelled: boolean) => void,
  ) {
    this.listener = table.listen((line) => {
      for (const run of line === undefined ? [...this.watched.keys()] : [line.run]) {
        this.update(run);
      }
    });
  }

  /** Show this run until it is over. */
  watch(run: string): void {
    if (this.watched.has(run)) {
      return;
    }
    let end = (): void => undefined;
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    const watched: Watched = { report: () => undefined, end, wasCancelled: false };
    this.watched.set(run, watched);
    const line = this.table.get(run);
    const title = line === undefined ? "Starting" : runName(line);
    this.trace.write("progress", { run, step: "begin", text: title });
    void vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title, cancellable: true },
      async (progress, token) => {
        let last = "";
        watched.report = (text) => {
          if (text !== last) {
            last = text;
            this.trace.write("progress", { run, step: "report", text });
            progress.report({ message: text });
          }
        };
        token.onCancellationRequested(() => {
          watched.wasCancelled = true;
          this.trace.write("progress", { run, step: "cancel", text: "" });
          this.cancel(run);
        });
        this.update(run);
        await over;
      },
    );
  }

  /** The run was cancelled by another way than its notification. */
  wasCancelled(run: string): void {
    const watched = this.watched.get(run);
    if (watched !== undefined) {
      watched.wasCancelled = true;
    }
  }

  /** The server is away: say so on everything that is shown. */
  pause(why: string): void {
    for (const watched of this.watched.values()) {
      watched.report(why);
    }
  }

  /** Nobody will tell how these runs end. */
  giveUp(): void {
    for (const run of [...this.watched.keys()]) {
      this.finish(run, "");
    }
  }

  dispose(): void {
    this.listener.dispose();
    this.giveUp();
  }

  private update(run: string): void {
    const watched = this.watched.get(run);
    const line = this.table.get(run);
    if (watched === undefined || line === undefined) {
      return;
    }
    if (isActive(line)) {
      watched.report(progressText(line));
      return;
    }
    this.finish(run, line.message);
    this.ended(line, watched.wasCancelled);
  }

  private finish(run: string, text: string): void {
    const watched = this.watched.get(run);
    this.watched.delete(run);
    watched?.end();
    this.trace.write("progress", { run, step: "end", text });
  }
}
