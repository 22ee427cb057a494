/**
 * The runs view: runs, and beneath each its attempts, tests, hunks, candidates, notes and log.
 *
 * What is beneath a run is asked for when it is unfolded, and again while it stays so.
 */

import * as vscode from "vscode";

import type {
  Attempt,
  Hunk,
  LogLine,
  Proposal,
  ProposalFile,
  RunLine,
  RunState,
  TestFailure,
} from "../protocol";
import { hunkNumbers, hunkTitle } from "../review/place";
import { allHunks } from "../review/proposals";
import type { Server } from "../server/server";
import { isActive, type RunTable, wantsReview } from "./table";
import { attemptIcon, count, type Icon, runDescription, runIcon, runName, spent } from "./wording";
import { verdictIcon } from "./wording";

/** A line of the tree; `run` is there on each, so that menus know what they are about. */
export type Node =
  | { kind: "run"; run: string; line: RunLine }
  | {
      kind: "group";
      run: string;
      id: string;
      label: string;
      text: string;
      icon: string;
      inside: Node[];
      open: boolean;
    }
  | { kind: "attempt"; run: string; attempt: Attempt }
  | { kind: "failure"; run: string; failure: TestFailure }
  | { kind: "file"; run: string; proposal: Proposal; file: ProposalFile }
  | { kind: "hunk"; run: string; file: ProposalFile; hunk: Hunk; number: number }
  | {
      kind: "text";
      run: string;
      id: string;
      label: string;
      text: string;
      icon: Icon;
      tooltip: string;
      command?: vscode.Command;
    };

const REFRESH_MS = 500;
const LOG_LINES = 8;

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

/** The groups beneath a run, those with nothing in them left out. */
function groups(state: RunState, proposal: Proposal | undefined): Node[] {
  const { run } = state;
  const nodes: Node[] = [];
  const group = (
    id: string,
    label: string,
    described: string,
    icon: string,
    inside: Node[],
    open = false,
  ): void => {
    if (inside.length > 0) {
      nodes.push({ kind: "group", run, id, label, text: described, icon, inside, open });
    }
  };
  if (state.message !== "") {
    nodes.push(
      text(
        run,
        "message",
        state.message,
        "",
        verdictIcon(state.verdict, state.confidence),
        state.message,
      ),
    );
  }
  if (proposal !== undefined) {
    const files: Node[] = proposal.files.map((file) => ({ kind: "file", run, proposal, file }));
    group("hunks", "Hunks", hunksText(proposal), "diff", files, true);
  }
  const attempts: Node[] = state.attempts.map((attempt) => ({ kind: "attempt", run, attempt }));
  group("attempts", "Attempts", String(attempts.length), "hubot", attempts, isActive(state));
  group(
    "candidates",
    "Candidates",
    `${state.candidates.length} measured`,
    "list-ordered",
    candidates(state),
  );
  group("tests", "Tests", testsText(state), "beaker", tests(state), state.kind === "test");
  group("notes", "Notes", "", "note", notes(state));
  if (state.receipt !== "") {
    const command = {
      title: "Show Evidence",
      command: "greenloop.showEvidence",
      arguments: [{ run }],
    };
    nodes.push(
      text(
        run,
        "receipt",
        "Evidence",
        "receipt of the measurement",
        { name: "verified" },
        state.receipt,
        command,
      ),
    );
  }
  group("log", "Log", count(lastNumber(state.log), "line"), "output", logNodes(run, state.log));
  return nodes;
}

function hunksText(proposal: Proposal): string {
  const open = allHunks(proposal).filter((hunk) => hunk.state === "open").length;
  return open === 0 ? "all decided" : `${open} to review`;
}

function candidates(state: RunState): Node[] {
  return state.candidates.map((each) =>
    text(
      state.run,
      `candidate${each.rank}`,
      each.why,
      each.verdict,
      verdictIcon(each.verdict),
      each.detail,
    ),
  );
}

function testsText(state: RunState): string {
  const { baseline } = state;
  return baseline === undefined
    ? ""
    : `${baseline.failing.length} failing, ${baseline.passing} passing`;
}

function tests(state: RunState): Node[] {
  const { run } = state;
  const known = new Set(state.failures.map((failure) => failure.id));
  const failing = state.baseline?.failing ?? [];
  return [
    ...state.failures.map((failure): Node => ({ kind: "failure", run, failure })),
    ...failing
      .filter((id) => !known.has(id))
      .map((id) =>
        text(run, `failing ${id}`, id, "fails", { name: "error", color: "testing.iconFailed" }),
      ),
    ...(state.baseline?.flaky ?? []).map((id) =>
      text(run, `flaky ${id}`, id, "flaky", { name: "question", color: "list.warningForeground" }),
    ),
    ...state.ownTests.map((id) =>
      text(run, `own ${id}`, id, "came with the patch", {
        name: "add",
        color: "testing.iconPassed",
      }),
    ),
  ];
}

function notes(state: RunState): Node[] {
  const lines = [
    ...(state.environment === "" ? [] : [`runs in ${state.environment}`]),
    ...(state.weaker === "" ? [] : [`not enforced there: ${state.weaker}`]),
    ...state.notes,
  ];
  return lines.map((line, index) =>
    text(state.run, `note${index}`, line, "", { name: "info" }, line),
  );
}

function logNodes(run: string, log: readonly LogLine[]): Node[] {
  const command = { title: "Show Log", command: "greenloop.showLog", arguments: [{ run }] };
  return log
    .slice(-LOG_LINES)
    .map((line) =>
      text(run, `log${line.number}`, line.text, line.kind, { name: "dash" }, line.text, command),
    );
}

function lastNumber(log: readonly LogLine[]): number {
  return (log.at(-1)?.number ?? -1) + 1;
}

function attemptLines(run: string, attempt: Attempt): Node[] {
  const id = `attempt${attempt.attempt}`;
  return [
    ...(attempt.doing === ""
      ? []
      : [text(run, `${id}/doing`, attempt.doing, "", { name: "arrow-right" })]),
    ...attempt.plan.map((line, index) =>
      text(run, `${id}/plan${index}`, line.replace(/^\[.\]\s*/, ""), "", planIcon(line)),
    ),
    text(run, `${id}/spent`, spent(attempt), "", { name: "credit-card" }),
  ];
}

function planIcon(line: string): Icon {
  return {
    name: line.startsWith("[x]") ? "check" : line.startsWith("[-]") ? "dash" : "circle-outline",
  };
}

function frames(run: string, failure: TestFailure): Node[] {
  return failure.frames.map((frame, index) =>
    text(
      run,
      `${failure.id}/frame${index}`,
      frame.function,
      `${baseName(frame.uri)}:${frame.line + 1}`,
      { name: "debug-stackframe" },
      "",
      goTo(frame.uri, frame.line),
    ),
  );
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

function text(
  run: string,
  id: string,
  label: string,
  described: string,
  icon: Icon,
  tooltip = "",
  command?: vscode.Command,
): Node {
  const node = { kind: "text" as const, run, id, label, text: described, icon, tooltip };
  return command === undefined ? node : { ...node, command };
}

function goTo(uri: string, line: number): vscode.Command {
  return {
    title: "Open",
    command: "vscode.open",
    arguments: [vscode.Uri.parse(uri), { selection: new vscode.Range(line, 0, line, 0) }],
  };
}

function themeIcon(icon: Icon): vscode.ThemeIcon {
  return icon.color === undefined
    ? new vscode.ThemeIcon(icon.name)
    : new vscode.ThemeIcon(icon.name, new vscode.ThemeColor(icon.color));
}

function baseName(uri: string): string {
  return decodeURIComponent(uri.replace(/\/+$/, "").split("/").at(-1) ?? uri);
}
