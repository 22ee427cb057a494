/**
 * Starting, cancelling and going on with runs, from commands, lenses and code actions.
 *
 * Asks for what is missing (a goal, a run), looks at what is under the cursor, and tells refusals.
 */

import * as vscode from "vscode";

import type { StartParams, Unit } from "../protocol";
import type { Say } from "../say";
import { localFolders } from "../server/machine";
import type { Server } from "../server/server";
import { isActive, type RunTable } from "./table";
import type { Watching } from "./watching";
import { runDescription, runName } from "./wording";

export class Starting {
  constructor(
    private readonly server: Server,
    private readonly table: RunTable,
    private readonly watching: Watching,
    private readonly say: Say,
  ) {}

  /** Start what the params say; a goal that is there but empty is asked for. */
  async start(params: StartParams): Promise<void> {
    if (params.goal?.trim() === "") {
      const goal = await askGoal(params.place === undefined ? "Implement" : "Change the selection");
      if (goal === undefined) {
        return;
      }
      params = { ...params, goal };
    }
    const { run } = await this.server.request("start", params);
    this.watching.watch(run);
  }

  async test(params: { folder?: string; targets?: string[] }): Promise<void> {
    const { run } = await this.server.request("test", params);
    this.watching.watch(run);
  }

  /** Everything that fails in a repository, or the tests named. */
  async fix(folder?: string, targets: string[] = []): Promise<void> {
    const where = folder ?? (await this.folder());
    if (where !== undefined) {
      await this.start({ kind: "fix", folder: where, targets });
    }
  }

  async runTests(): Promise<void> {
    const folder = await this.folder();
    if (folder !== undefined) {
      await this.test({ folder });
    }
  }

  async implement(): Promise<void> {
    const folder = await this.folder();
    if (folder !== undefined) {
      await this.start({ kind: "implement", folder, goal: "" });
    }
  }

  /** The test at the cursor. */
  async fixTest(): Promise<void> {
    const editor = this.editor();
    const unit = editor === undefined ? undefined : await this.unitAt(editor, ["test", "suite"]);
    if (editor === undefined) {
      return;
    }
    if (unit === undefined) {
      this.say.warn("There is no test at the cursor. Put it into one, or use “Fix Failing Tests”.");
      return;
    }
    await this.start({ kind: "fix", folder: editor.document.uri.toString(), targets: [unit.id] });
  }

  /** The problems at the cursor, of whatever source. */
  async fixProblem(): Promise<void> {
    const editor = this.editor();
    const language = this.server.language;
    if (editor === undefined) {
      return;
    }
    const at = editor.selection;
    const problems = vscode.languages
      .getDiagnostics(editor.document.uri)
      .filter((each) => each.range.intersection(at) !== undefined);
    const [first] = problems;
    if (first === undefined) {
      this.say.warn("There is no problem at the cursor. “Go to Next Problem” (F8) finds them.");
      return;
    }
    const uri = editor.document.uri.toString();
    const { range } = first;
    const diagnostics = language?.code2ProtocolConverter.asDiagnostics(problems) ?? [];
    await this.start({
      kind: "fix",
      folder: uri,
      diagnostics: await diagnostics,
      place: { uri, range: plainRange(range) },
    });
  }

  /** The stub at the cursor. */
  async implementStub(): Promise<void> {
    const editor = this.editor();
    if (editor === undefined) {
      return;
    }
    const unit = await this.unitAt(editor, ["stub"]);
    if (unit === undefined) {
      this.say.warn(
        "There is no stub at the cursor: a function that only has `...`, `pass`, a TODO or raises NotImplementedError.",
      );
      return;
    }
    const uri = editor.document.uri.toString();
    await this.start({ kind: "implement", folder: uri, place: { uri, range: unit.range } });
  }

  async changeSelection(): Promise<void> {
    const editor = this.editor();
    if (editor === undefined) {
      return;
    }
    if (editor.selection.isEmpty) {
      this.say.warn("Nothing is selected. Select the code that shall change first.");
      return;
    }
    const uri = editor.document.uri.toString();
    const place = { uri, range: plainRange(editor.selection) };
    await this.start({ kind: "implement", folder: uri, place, goal: "" });
  }

  /** End a run: the one named, the only one, or one that is picked. */
  async cancel(run?: string): Promise<void> {
    const chosen =
      run ??
      (await this.pick(
        "Cancel which run?",
        "There is no run to cancel.",
        (line) => line.canCancel,
      ));
    if (chosen === undefined) {
      return;
    }
    this.watching.wasCancelled(chosen);
    const { cancelled } = await this.server.request("cancel", { run: chosen });
    if (!cancelled) {
      vscode.window.setStatusBarMessage("Greenloop: the run is over already", 4000);
    }
  }

  async resume(run?: string): Promise<void> {
    const chosen =
      run ??
      (await this.pick(
        "Go on with which run?",
        "There is no run to go on with.",
        (line) => line.canResume,
      ));
    if (chosen !== undefined) {
      const { run } = await this.server.request("resume", { run: chosen });
      this.table.goOn(run);
      this.watching.watch(run);
    }
  }

  /** A run that fits: the only one without asking, else one of a list. */
  async pick(
    title: string,
    none: string,
    fits: (line: ReturnType<RunTable["all"]>[number]) => boolean,
  ): Promise<string | undefined> {
    const lines = this.table.all().filter(fits);
    const [only] = lines;
    if (only === undefined) {
      this.say.info(none);
      return undefined;
    }
    if (lines.length === 1) {
      return only.run;
    }
    const now = Date.now() / 1000;
    const items = lines.map((line) => ({
      label: runName(line),
      description: runDescription(line, now),
      detail: isActive(line) ? line.doing : line.message,
      run: line.run,
    }));
    const chosen = await vscode.window.showQuickPick(items, { title, matchOnDescription: true });
    return chosen?.run;
  }

  /** A folder to work in: that of the active file, the only one, or one that is picked. */
  private async folder(): Promise<string | undefined> {
    const active = vscode.window.activeTextEditor?.document.uri;
    if (active?.scheme === "file") {
      return active.toString();
    }
    const folders = localFolders();
    const [only] = folders;
    if (only === undefined) {
      this.say.problem({
        text: "Open a folder with a git repository first: Greenloop works on one.",
        kind: "no_repository",
        remedies: [{ label: "Open Folder", command: "workbench.action.files.openFolder" }],
      });
      return undefined;
    }
    if (folders.length === 1) {
      return only.uri.toString();
    }
    const items = folders.map((folder) => ({
      label: folder.name,
      description: folder.uri.fsPath,
      uri: folder.uri.toString(),
    }));
    const chosen = await vscode.window.showQuickPick(items, { title: "In which folder?" });
    return chosen?.uri;
  }

  private editor(): vscode.TextEditor | undefined {
    const editor = vscode.window.activeTextEditor;
    if (editor === undefined) {
      this.say.warn("Open the file first, and put the cursor where Greenloop shall work.");
      return undefined;
    }
    if (editor.document.uri.scheme !== "file") {
      this.say.warn(
        "This editor shows no file of a folder on this machine. Open the file itself, or save it first.",
      );
      return undefined;
    }
    return editor;
  }

  /** The innermost unit of these kinds around the cursor. */
  private async unitAt(
    editor: vscode.TextEditor,
    kinds: readonly Unit["kind"][],
  ): Promise<Unit | undefined> {
    const { items } = await this.server.request("tests", { uri: editor.document.uri.toString() });
    const { line } = editor.selection.active;
    return items
      .filter((unit) => kinds.includes(unit.kind))
      .filter(({ range }) => range.start.line <= line && line <= range.end.line)
      .sort((a, b) => size(a) - size(b))[0];
  }
}

async function askGoal(title: string): Promise<string | undefined> {
  const goal = await vscode.window.showInputBox({
    title: `Greenloop: ${title}`,
    prompt: "What shall be done? The tests you have decide whether it is green.",
    placeHolder: "for example: round prices once, at the end",
    ignoreFocusOut: true,
    validateInput: (text) => (text.trim() === "" ? "Say in a line what shall be done." : undefined),
  });
  return goal?.trim();
}

function plainRange(range: vscode.Range): Unit["range"] {
  const { start, end } = range;
  return {
    start: { line: start.line, character: start.character },
    end: { line: end.line, character: end.character },
  };
}

function size(unit: Unit): number {
  return unit.range.end.line - unit.range.start.line;
}
