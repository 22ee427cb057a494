/**
 * The item in the status bar: what goes on, in two words, and more in its tooltip.
 */

import * as vscode from "vscode";

import type { Status } from "./protocol";
import type { Proposals } from "./review/proposals";
import { checkText } from "./review/place";
import type { Review } from "./review/review";
import { isActive, type RunTable, wantsReview } from "./runs/table";
import { progressText, runName } from "./runs/wording";
import { localFolders } from "./server/machine";
import type { Server } from "./server/server";
import { statusLines, statusText } from "./statusWording";
import type { Trace } from "./trace";

export class StatusBar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem(
    "greenloop.status",
    vscode.StatusBarAlignment.Left,
    0,
  );
  private readonly checkItem = vscode.window.createStatusBarItem(
    "greenloop.check",
    vscode.StatusBarAlignment.Left,
    -1,
  );
  private readonly parts: { dispose(): void }[];
  private status: Status | undefined;
  private last = "";

  constructor(
    private readonly server: Server,
    private readonly table: RunTable,
    private readonly proposals: Proposals,
    private readonly review: Review,
    private readonly trace: Trace,
  ) {
    this.item.name = "Greenloop";
    this.item.command = "greenloop.showMenu";
    this.checkItem.name = "Greenloop Review";
    const draw = (): void => {
      this.draw();
    };
    this.parts = [
      this.item,
      this.checkItem,
      server.onCondition(draw),
      table.listen(draw),
      proposals.onChanged(draw),
      vscode.window.onDidChangeActiveTextEditor(draw),
      vscode.window.tabGroups.onDidChangeTabs(draw),
    ];
    this.draw();
    this.item.show();
  }

  /** Ask about engine and model; what the server cannot say now stays as it was. */
  async learn(): Promise<Status> {
    const [folder] = localFolders();
    const params = folder === undefined ? {} : { folder: folder.uri.toString() };
    this.status = await this.server.request("status", params);
    this.draw();
    return this.status;
  }

  dispose(): void {
    for (const part of this.parts) {
      part.dispose();
    }
  }

  private draw(): void {
    const { kind } = this.server.condition;
    const server = kind === "running" || kind === "starting" ? kind : "down";
    const runs = this.table.all();
    const active = runs.filter(isActive).length;
    const review = runs.filter(wantsReview).length;
    const engineOk = this.status?.engine.ok ?? true;
    const text = statusText({ active, review, server, engineOk });
    this.item.text = text;
    this.item.tooltip = this.tooltip();
    const isBad = server === "down";
    this.item.backgroundColor = isBad
      ? new vscode.ThemeColor("statusBarItem.errorBackground")
      : undefined;
    const spoken = text.replace(/\$\([^)]*\)\s*/g, "").trim();
    this.item.accessibilityInformation = { label: isBad ? `${spoken}: not running` : spoken };
    this.drawCheck();
    if (text !== this.last) {
      this.last = text;
      this.trace.write("status", { text });
    }
  }

  /** While a review is in front: how its proposal stands. */
  private drawCheck(): void {
    const run = this.review.activeRun();
    const proposal = run === undefined ? undefined : this.proposals.get(run);
    if (proposal === undefined) {
      this.checkItem.hide();
      return;
    }
    this.checkItem.text = checkText(proposal);
    this.checkItem.tooltip = "Measure what is left of the proposal in a fresh sandbox";
    this.checkItem.command = {
      title: "Measure",
      command: "greenloop.checkProposal",
      arguments: [{ run: proposal.run }],
    };
    this.checkItem.show();
  }

  private tooltip(): vscode.MarkdownString {
    const tooltip = new vscode.MarkdownString();
    tooltip.appendMarkdown("**Greenloop**\n\n");
    if (this.server.condition.kind !== "running") {
      tooltip.appendText(this.server.condition.text);
      return tooltip;
    }
    for (const line of this.table.all().filter(isActive)) {
      tooltip.appendText(`${runName(line)}: ${progressText(line)}`);
      tooltip.appendMarkdown("\n\n");
    }
    for (const line of this.table.all().filter(wantsReview)) {
      tooltip.appendText(`To review: ${runName(line)}`);
      tooltip.appendMarkdown("\n\n");
    }
    for (const line of this.status === undefined ? [] : statusLines(this.status)) {
      tooltip.appendText(line.detail === "" ? line.label : `${line.label}. ${line.detail}`);
      tooltip.appendMarkdown("\n\n");
    }
    if (this.status === undefined) {
      tooltip.appendText(this.server.condition.text);
    }
    return tooltip;
  }
}
