/**
 * The runs view: runs, and beneath each its attempts, tests, hunks, candidates, notes and log.
 *
 * What is beneath a run is asked for when it is unfolded, and again while it stays so.
 */

import * as vscode from "vscode";

import type { Proposal } from "../protocol";
import { hunkNumbers } from "../review/place";
import type { Server } from "../server/server";
import { itemOf } from "./items";
import { attemptLines, frames, groups, type Node, text } from "./nodes";
import { type RunTable, wantsReview } from "./table";
import { count } from "./wording";

const REFRESH_MS = 500;

export class RunTree implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<Node | undefined>();
  private readonly nodes = new Map<string, Node & { kind: "run" }>();
  private readonly stale = new Set<string | undefined>();
  private timer: NodeJS.Timeout | undefined;
  private readonly parts: { dispose(): void }[];
  readonly view: vscode.TreeView<Node>;

  readonly onDidChangeTreeData = this.changed.event;

  constructor(
    private readonly server: Server,
    private readonly table: RunTable,
    private readonly proposal: (run: string) => Promise<Proposal>,
  ) {
    this.view = vscode.window.createTreeView("greenloop.runs", { treeDataProvider: this });
    this.parts = [
      this.view,
      table.listen((line) => {
        const isNew = line === undefined || !this.nodes.has(line.run);
        this.refresh(isNew ? undefined : line.run);
      }),
    ];
  }

  /** Draw a run anew soon; all of them without a name. */
  refresh(run: string | undefined): void {
    this.stale.add(run);
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      const stale = [...this.stale];
      this.stale.clear();
      if (stale.includes(undefined)) {
        this.changed.fire(undefined);
        return;
      }
      for (const each of stale) {
        const node = this.nodes.get(each ?? "");
        const line = this.table.get(each ?? "");
        if (node !== undefined && line !== undefined) {
          node.line = line;
          this.changed.fire(node);
        }
      }
    }, REFRESH_MS);
  }

  /** Say on the activity bar how many runs wait for a review. */
  badge(): void {
    const value = this.table.all().filter(wantsReview).length;
    this.view.badge =
      value === 0 ? undefined : { value, tooltip: `${count(value, "patch")} to review` };
  }

  /** Bring the view to the front, with this run chosen. */
  async show(run: string | undefined): Promise<void> {
    await vscode.commands.executeCommand("greenloop.runs.focus");
    const node = run === undefined ? undefined : this.nodeOf(run);
    if (node !== undefined) {
      await this.view.reveal(node, { select: true, focus: true, expand: true });
    }
  }

  getParent(node: Node): Node | undefined {
    return node.kind === "run" ? undefined : this.nodeOf(node.run);
  }

  async getChildren(node?: Node): Promise<Node[]> {
    if (node === undefined) {
      return this.table
        .all()
        .map((line) => this.nodeOf(line.run))
        .filter((each) => each !== undefined);
    }
    switch (node.kind) {
      case "run":
        return await this.inside(node.run);
      case "group":
        return node.inside;
      case "file": {
        const numbers = hunkNumbers(node.proposal);
        const { run, file } = node;
        return file.hunks.map((hunk) => ({
          kind: "hunk",
          run,
          file,
          hunk,
          number: numbers.get(hunk.id) ?? 0,
        }));
      }
      case "attempt":
        return attemptLines(node.run, node.attempt);
      case "failure":
        return frames(node.run, node.failure);
      case "hunk":
      case "text":
        return [];
    }
  }

  getTreeItem(node: Node): vscode.TreeItem {
    return itemOf(node);
  }

  dispose(): void {
    clearTimeout(this.timer);
    for (const part of this.parts) {
      part.dispose();
    }
    this.changed.dispose();
  }

  private nodeOf(run: string): Node | undefined {
    const line = this.table.get(run);
    if (line === undefined) {
      this.nodes.delete(run);
      return undefined;
    }
    const node = this.nodes.get(run) ?? { kind: "run" as const, run, line };
    node.line = line;
    this.nodes.set(run, node);
    return node;
  }

  private async inside(run: string): Promise<Node[]> {
    try {
      const state = await this.server.request("run", { run });
      const proposal = state.canReview ? await this.proposal(run) : undefined;
      return groups(state, proposal);
    } catch (error) {
      const label = error instanceof Error ? error.message : String(error);
      return [text(run, "error", label, "", { name: "warning" })];
    }
  }
}
