/**
 * The live log of a run as a read-only document of the scheme greenloop-log.
 *
 * Lines come from notifications; what came before, or between two servers, is asked for.
 */

import * as vscode from "vscode";

import type { LogLine } from "../protocol";
import type { Server } from "../server/server";
import type { Trace } from "../trace";
import { logText, runName } from "./wording";
import type { RunTable } from "./table";

export const LOG_SCHEME = "greenloop-log";
const REFRESH_MS = 200;

export class RunLogs implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly lines = new Map<string, Map<number, LogLine>>();
  private readonly pending = new Map<string, NodeJS.Timeout>();
  private readonly parts: vscode.Disposable[];

  readonly onDidChange = this.changed.event;

  constructor(
    private readonly server: Server,
    private readonly table: RunTable,
    private readonly trace: Trace,
  ) {
    this.parts = [
      vscode.workspace.registerTextDocumentContentProvider(LOG_SCHEME, this),
      server.on("run/log", ({ run, lines }) => {
        // A log nobody opened is not kept: it is asked for when somebody does.
        if (this.lines.has(run)) {
          this.take(run, lines);
        }
      }),
      server.onCondition((condition) => {
        if (condition.kind === "running") {
          for (const run of this.lines.keys()) {
            void this.load(run);
          }
        }
      }),
      vscode.workspace.onDidCloseTextDocument((document) => {
        if (document.uri.scheme === LOG_SCHEME) {
          this.lines.delete(runOf(document.uri));
        }
      }),
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        if (document.uri.scheme === LOG_SCHEME) {
          followEnd(document);
        }
      }),
    ];
  }

  /** Open the log of a run beside nothing: as an editor of its own. */
  async open(run: string): Promise<void> {
    const line = this.table.get(run);
    const name = (line === undefined ? run : runName(line)).replace(/[\\/:*?"<>|]+/g, " ");
    const uri = vscode.Uri.from({ scheme: LOG_SCHEME, path: `/${name}.log`, query: `run=${run}` });
    await this.load(run);
    const document = await vscode.workspace.openTextDocument(uri);
    const editor = await vscode.window.showTextDocument(document, { preview: true });
    const end = document.lineAt(document.lineCount - 1).range.end;
    editor.selection = new vscode.Selection(end, end);
    editor.revealRange(new vscode.Range(end, end));
    this.trace.write("opened", { how: "log", run, uris: [uri.toString()] });
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const run = runOf(uri);
    if (!this.lines.has(run)) {
      await this.load(run).catch(() => undefined);
    }
    const lines = [...(this.lines.get(run)?.values() ?? [])].sort((a, b) => a.number - b.number);
    const first = lines[0];
    const cut = first !== undefined && first.number > 0 ? [`… ${first.number} older lines`] : [];
    return [...cut, ...lines.map(logText)].map((line) => `${line}\n`).join("");
  }

  dispose(): void {
    for (const timer of this.pending.values()) {
      clearTimeout(timer);
    }
    vscode.Disposable.from(...this.parts).dispose();
    this.changed.dispose();
  }

  private async load(run: string): Promise<void> {
    if (!this.lines.has(run)) {
      this.lines.set(run, new Map());
    }
    const state = await this.server.request("run", { run, logFrom: 0 });
    this.take(run, state.log);
  }

  private take(run: string, lines: readonly LogLine[]): void {
    const known = this.lines.get(run);
    for (const line of lines) {
      known?.set(line.number, line);
    }
    if (lines.length > 0 && !this.pending.has(run)) {
      this.pending.set(
        run,
        setTimeout(() => {
          this.pending.delete(run);
          for (const document of vscode.workspace.textDocuments) {
            if (document.uri.scheme === LOG_SCHEME && runOf(document.uri) === run) {
              this.changed.fire(document.uri);
            }
          }
        }, REFRESH_MS),
      );
    }
  }
}

function runOf(uri: vscode.Uri): string {
  return new URLSearchParams(uri.query).get("run") ?? "";
}

/** Keep the end in sight for whoever stands near it; leave everybody else where they read. */
function followEnd(document: vscode.TextDocument): void {
  for (const editor of vscode.window.visibleTextEditors) {
    const seen = editor.visibleRanges.at(-1)?.end.line ?? 0;
    const last = document.lineCount - 1;
    if (editor.document === document && editor.selection.active.line >= seen - 3) {
      const end = new vscode.Position(last, 0);
      editor.selection = new vscode.Selection(end, end);
      editor.revealRange(new vscode.Range(end, end));
    }
  }
}
