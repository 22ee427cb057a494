/**
 * Opening a review and moving about in it. Editors are opened here, and only when a person asked.
 */

import * as vscode from "vscode";

import type { Hunk, Proposal, ProposalFile } from "../protocol";
import type { Trace } from "../trace";
import { hunkAt, hunkBeyond, hunkLine } from "./place";
import { BASE_SCHEME, type Place, type Proposals, PROPOSAL_SCHEME, runOf } from "./proposals";

/** What a command of the review is about; missing parts are those of the active editor. */
export interface Subject {
  run?: string;
  path?: string;
  hunk?: string;
}

export class Review implements vscode.Disposable {
  private readonly titles = new Map<string, string>();
  private readonly parts: vscode.Disposable[];

  constructor(
    private readonly proposals: Proposals,
    private readonly trace: Trace,
  ) {
    this.parts = [
      vscode.window.tabGroups.onDidChangeTabs(() => {
        this.noteActive();
      }),
      vscode.window.tabGroups.onDidChangeTabGroups(() => {
        this.noteActive();
      }),
    ];
  }

  /** All files of a proposal in one editor; a single one as a plain diff. */
  async open(run: string): Promise<void> {
    const proposal = await this.proposals.load(run);
    const [first] = proposal.files;
    if (first !== undefined && proposal.files.length === 1) {
      await this.compare(proposal, first);
      return;
    }
    const title = `Review: ${proposal.title}`;
    this.titles.set(title, run);
    const resources = proposal.files.map((file) => {
      const base = vscode.Uri.parse(file.baseUri);
      const proposed = vscode.Uri.parse(file.proposedUri);
      return [vscode.Uri.parse(file.uri), base, proposed];
    });
    await vscode.commands.executeCommand("vscode.changes", title, resources);
    this.noteActive();
    const uris = proposal.files.map((file) => file.proposedUri);
    this.trace.write("opened", { how: "changes", run, uris });
  }

  /** One file, base against proposal; at a hunk where one is named. */
  async openFile(run: string, path: string, hunk?: string): Promise<void> {
    const proposal = await this.proposals.find(run);
    const file = proposal.files.find((each) => each.path === path);
    if (file !== undefined) {
      await this.compare(
        proposal,
        file,
        file.hunks.find((each) => each.id === hunk),
      );
    }
  }

  /** The user's file as it is now against the proposal: where the two have grown apart. */
  async compareWithFile(run: string, path: string): Promise<void> {
    const proposal = await this.proposals.find(run);
    const file = proposal.files.find((each) => each.path === path);
    if (file === undefined) {
      return;
    }
    const sides = [vscode.Uri.parse(file.uri), vscode.Uri.parse(file.proposedUri)] as const;
    await vscode.commands.executeCommand("vscode.diff", ...sides, `${path} (file ↔ proposal)`);
    this.trace.write("opened", { how: "diff", run, uris: sides.map(String) });
  }

  /** The run whose review is in front; undefined where none is. */
  activeRun(): string | undefined {
    const uri = activeUri();
    if (uri !== undefined) {
      return runOf(uri);
    }
    const label = vscode.window.tabGroups.activeTabGroup.activeTab?.label;
    return this.runOfTab(label ?? "");
  }

  /** The file that is in front. */
  async activePlace(): Promise<Place | undefined> {
    const uri = activeUri();
    return uri === undefined ? undefined : await this.proposals.findPlace(uri);
  }

  /** The hunk that a command is about: the one it names, else the one at the cursor. */
  async hunkOf(
    subject: Subject,
  ): Promise<{ run: string; file: ProposalFile; hunk: Hunk } | undefined> {
    if (subject.run !== undefined && subject.hunk !== undefined) {
      const proposal = await this.proposals.find(subject.run);
      for (const file of proposal.files) {
        const hunk = file.hunks.find((each) => each.id === subject.hunk);
        if (hunk !== undefined) {
          return { run: proposal.run, file, hunk };
        }
      }
      return undefined;
    }
    const place = await this.activePlace();
    const line = vscode.window.activeTextEditor?.selection.active.line ?? 0;
    const hunk = place === undefined ? undefined : hunkAt(place.file, line);
    return place === undefined || hunk === undefined
      ? undefined
      : { run: place.proposal.run, file: place.file, hunk };
  }

  /** Move the cursor to the next or previous hunk, into the next file where this one ends. */
  async move(direction: "next" | "previous"): Promise<void> {
    const place = await this.activePlace();
    const editor = vscode.window.activeTextEditor;
    if (place === undefined || editor === undefined) {
      return;
    }
    const hunk = hunkBeyond(place.file, editor.selection.active.line, direction);
    if (hunk !== undefined) {
      reveal(editor, hunk);
      return;
    }
    const { files } = place.proposal;
    const step = direction === "next" ? 1 : -1;
    const file = files[(files.indexOf(place.file) + step + files.length) % files.length];
    const target = direction === "next" ? file?.hunks[0] : file?.hunks.at(-1);
    if (file !== undefined && target !== undefined) {
      await this.compare(place.proposal, file, target);
    }
  }

  dispose(): void {
    vscode.Disposable.from(...this.parts).dispose();
  }

  private async compare(
    proposal: Proposal,
    file: ProposalFile,
    hunk = file.hunks[0],
  ): Promise<void> {
    const base = vscode.Uri.parse(file.baseUri);
    const proposed = vscode.Uri.parse(file.proposedUri);
    const title = `${file.path} (proposal)`;
    const line = hunk?.proposed.line ?? 0;
    const options = { selection: new vscode.Range(line, 0, line, 0) };
    await vscode.commands.executeCommand("vscode.diff", base, proposed, title, options);
    this.trace.write("opened", {
      how: "diff",
      run: proposal.run,
      uris: [file.baseUri, file.proposedUri],
    });
  }

  /** Buttons of the multi-file editor belong to ours only; nothing else tells it from another. */
  private noteActive(): void {
    const label = vscode.window.tabGroups.activeTabGroup.activeTab?.label ?? "";
    const isOurs = this.runOfTab(label) !== undefined;
    void vscode.commands.executeCommand("setContext", "greenloop.inReview", isOurs);
  }

  /** VS Code adds the number of files to a title: `Review: … (2 files)`. */
  private runOfTab(label: string): string | undefined {
    return this.titles.get(label) ?? this.titles.get(label.replace(/ \([^()]*\)$/, ""));
  }
}

function activeUri(): vscode.Uri | undefined {
  const uri = vscode.window.activeTextEditor?.document.uri;
  return uri?.scheme === PROPOSAL_SCHEME || uri?.scheme === BASE_SCHEME ? uri : undefined;
}

function reveal(editor: vscode.TextEditor, hunk: Hunk): void {
  const at = new vscode.Position(hunkLine(hunk, editor.document.lineCount), 0);
  editor.selection = new vscode.Selection(at, at);
  editor.revealRange(
    new vscode.Range(at, at),
    vscode.TextEditorRevealType.InCenterIfOutsideViewport,
  );
}
