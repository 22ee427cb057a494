/**
 * Colours at the hunks of a proposal that were decided on: accepted ones, and where rejected ones were.
 */

import * as vscode from "vscode";

import { count } from "../runs/wording";
import { hunkLine, hunkLines } from "./place";
import { type Proposals, PROPOSAL_SCHEME } from "./proposals";

const RULER = vscode.OverviewRulerLane.Left;

export class Marks implements vscode.Disposable {
  private readonly accepted = vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    borderWidth: "0 0 0 3px",
    borderStyle: "solid",
    borderColor: new vscode.ThemeColor("testing.iconPassed"),
    overviewRulerColor: new vscode.ThemeColor("testing.iconPassed"),
    overviewRulerLane: RULER,
  });
  private readonly rejected = vscode.window.createTextEditorDecorationType({
    overviewRulerColor: new vscode.ThemeColor("testing.iconFailed"),
    overviewRulerLane: RULER,
    after: {
      margin: "0 0 0 2em",
      color: new vscode.ThemeColor("editorCodeLens.foreground"),
      fontStyle: "italic",
    },
  });
  private readonly parts: { dispose(): void }[];

  constructor(private readonly proposals: Proposals) {
    const draw = (): void => {
      for (const editor of vscode.window.visibleTextEditors) {
        this.draw(editor);
      }
    };
    this.parts = [
      this.accepted,
      this.rejected,
      proposals.onChanged(draw),
      vscode.window.onDidChangeVisibleTextEditors(draw),
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        if (document.uri.scheme === PROPOSAL_SCHEME) {
          draw();
        }
      }),
    ];
    draw();
  }

  dispose(): void {
    for (const part of this.parts) {
      part.dispose();
    }
  }

  private draw(editor: vscode.TextEditor): void {
    const { document } = editor;
    if (document.uri.scheme !== PROPOSAL_SCHEME) {
      return;
    }
    const hunks = this.proposals.place(document.uri)?.file.hunks ?? [];
    const accepted = hunks.flatMap((hunk) => {
      const lines = hunk.state === "accepted" ? hunkLines(hunk, document.lineCount) : undefined;
      return lines === undefined ? [] : [new vscode.Range(lines[0], 0, lines[1], 0)];
    });
    const rejected = hunks
      .filter((hunk) => hunk.state === "rejected")
      .map((hunk) => {
        const line = hunkLine(hunk, document.lineCount);
        const { range } = document.lineAt(line);
        const lines = hunk.new === "" ? hunk.old : hunk.new;
        const contentText = `rejected here: ${count(lines.replace(/\n$/, "").split("\n").length, "line")}`;
        return { range, renderOptions: { after: { contentText } } };
      });
    editor.setDecorations(this.accepted, accepted);
    editor.setDecorations(this.rejected, rejected);
  }
}
