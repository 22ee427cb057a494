/**
 * How a line of the tree is drawn: label, description, icon, tooltip, and what a click does.
 */

import * as vscode from "vscode";

import type { Attempt, Hunk, ProposalFile, RunLine, TestFailure } from "../protocol";
import { hunkTitle } from "../review/place";
import { baseName, goTo, type Node } from "./nodes";
import { attemptIcon, count, type Icon, runDescription, runIcon, runName, spent } from "./wording";

/** The item of a line. */
export function itemOf(node: Node): vscode.TreeItem {
  switch (node.kind) {
    case "run":
      return runItem(node.line);
    case "group": {
      const folded = node.open
        ? vscode.TreeItemCollapsibleState.Expanded
        : vscode.TreeItemCollapsibleState.Collapsed;
      const item = new vscode.TreeItem(node.label, folded);
      item.id = `${node.run}/${node.id}`;
      item.description = node.text;
      item.iconPath = new vscode.ThemeIcon(node.icon);
      item.contextValue = node.id;
      return item;
    }
    case "attempt":
      return attemptItem(node.run, node.attempt);
    case "failure":
      return failureItem(node.run, node.failure);
    case "file":
      return fileItem(node.run, node.file);
    case "hunk":
      return hunkItem(node.run, node.file, node.hunk, node.number);
    case "text": {
      const item = new vscode.TreeItem(node.label);
      item.id = `${node.run}/${node.id}`;
      item.description = node.text;
      item.iconPath = themeIcon(node.icon);
      item.tooltip = node.tooltip;
      if (node.command !== undefined) {
        item.command = node.command;
      }
      return item;
    }
  }
}

function runItem(line: RunLine): vscode.TreeItem {
  const item = new vscode.TreeItem(runName(line), vscode.TreeItemCollapsibleState.Collapsed);
  item.id = line.run;
  item.description = described(line);
  item.iconPath = themeIcon(runIcon(line));
  const can = [
    "run",
    line.canCancel ? "cancel" : "",
    line.canResume ? "resume" : "",
    line.canReview ? "review" : "",
    line.verdict === "failed" ? "failed" : "",
  ];
  item.contextValue = can.filter((each) => each !== "").join(" ");
  const tooltip = new vscode.MarkdownString();
  tooltip.appendText(`${runName(line)}\n${line.message || line.doing}\n`);
  tooltip.appendText(`${line.run}, started ${new Date(line.startedAt * 1000).toLocaleString()}`);
  item.tooltip = tooltip;
  return item;
}

function described(line: RunLine): string {
  const text = runDescription(line, Date.now() / 1000);
  const folders = vscode.workspace.workspaceFolders ?? [];
  return folders.length > 1 ? `${baseName(line.folder)} · ${text}` : text;
}

function attemptItem(run: string, attempt: Attempt): vscode.TreeItem {
  const item = new vscode.TreeItem(
    `Attempt ${attempt.attempt}: ${attempt.model}`,
    vscode.TreeItemCollapsibleState.Collapsed,
  );
  item.id = `${run}/attempt${attempt.attempt}`;
  item.description = `step ${attempt.step} of ${attempt.steps} · ${attempt.state.replaceAll("_", " ")}`;
  item.iconPath = themeIcon(attemptIcon(attempt));
  item.tooltip = `${attempt.model} at ${attempt.endpoint}\n${spent(attempt)}`;
  return item;
}

function failureItem(run: string, failure: TestFailure): vscode.TreeItem {
  const folded =
    failure.frames.length > 0
      ? vscode.TreeItemCollapsibleState.Collapsed
      : vscode.TreeItemCollapsibleState.None;
  const item = new vscode.TreeItem(failure.id, folded);
  item.id = `${run}/failure ${failure.id}`;
  item.description = failure.message.split("\n", 1)[0] ?? "";
  item.iconPath = themeIcon({ name: "error", color: "testing.iconFailed" });
  item.tooltip = failure.message;
  item.contextValue = "failure";
  if (failure.uri !== "") {
    item.command = goTo(failure.uri, failure.range.start.line);
  }
  return item;
}

function fileItem(run: string, file: ProposalFile): vscode.TreeItem {
  const item = new vscode.TreeItem(
    vscode.Uri.parse(file.uri),
    vscode.TreeItemCollapsibleState.Expanded,
  );
  item.id = `${run}/file ${file.path}`;
  item.description = [
    file.path.split("/").slice(0, -1).join("/"),
    file.change === "modified" ? "" : file.change,
    file.edited ? "edited" : "",
  ]
    .filter((part) => part !== "")
    .join(" · ");
  item.iconPath = vscode.ThemeIcon.File;
  item.contextValue = "file";
  item.command = {
    title: "Compare",
    command: "greenloop.compareFile",
    arguments: [{ run, path: file.path }],
  };
  return item;
}

function hunkItem(run: string, file: ProposalFile, hunk: Hunk, number: number): vscode.TreeItem {
  const item = new vscode.TreeItem(hunkTitle(hunk, number));
  item.id = `${run}/hunk ${hunk.id}`;
  const needed =
    hunk.neededFor.length > 0 ? `needed for ${count(hunk.neededFor.length, "test")}` : "";
  item.description = [hunk.state === "open" ? "" : hunk.state, needed, hunk.conflict ?? ""]
    .filter((part) => part !== "")
    .join(" · ");
  const icons = {
    open: { name: "circle-outline" },
    accepted: { name: "check", color: "testing.iconPassed" },
    rejected: { name: "close", color: "testing.iconFailed" },
  };
  item.iconPath = themeIcon(hunk.conflict === undefined ? icons[hunk.state] : { name: "warning" });
  const tooltip = new vscode.MarkdownString();
  tooltip.appendCodeblock(diffOf(hunk), "diff");
  if (hunk.neededFor.length > 0) {
    tooltip.appendText(`needed for ${hunk.neededFor.join(", ")}`);
  }
  item.tooltip = tooltip;
  item.contextValue = `hunk ${hunk.state}`;
  item.command = {
    title: "Compare",
    command: "greenloop.compareFile",
    arguments: [{ run, path: file.path, hunk: hunk.id }],
  };
  return item;
}

/** Lines taken out and put in, bounded for a tooltip. */
function diffOf(hunk: Hunk): string {
  const lines = (text: string, sign: string): string[] =>
    text === ""
      ? []
      : text
          .replace(/\n$/, "")
          .split("\n")
          .map((line) => sign + line);
  return [...lines(hunk.old, "-"), ...lines(hunk.new, "+")].slice(0, 40).join("\n");
}

function themeIcon(icon: Icon): vscode.ThemeIcon {
  return icon.color === undefined
    ? new vscode.ThemeIcon(icon.name)
    : new vscode.ThemeIcon(icon.name, new vscode.ThemeColor(icon.color));
}
