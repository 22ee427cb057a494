/**
 * Tests in VS Code's Test Explorer: found lazily, run in the sandbox, results of every run shown.
 *
 * Reads no source itself: the server says what tests a file holds and how they came out.
 */

import * as vscode from "vscode";

import type { Notifications, TestOutcome, Unit } from "../protocol";
import { problemOf } from "../problems";
import { localFolders } from "../server/machine";
import type { Server } from "../server/server";
import type { RunTable } from "../runs/table";
import { isActive } from "../runs/table";
import type { Trace } from "../trace";
import { fileOf, nameOf, plainId } from "./ids";
import { rangeOf, report } from "./results";

const REREAD_MS = 600;
const CONTROLLER = "greenloop-tests";

export class Explorer implements vscode.Disposable {
  private readonly controller = vscode.tests.createTestController(CONTROLLER, "Greenloop");
  /** Items of files by the path of their repository and their own. */
  private readonly files = new Map<string, vscode.TestItem>();
  private readonly read = new Map<string, Promise<void>>();
  private readonly tags = new WeakMap<vscode.TestItem, { id: string; folder: string }>();
  private readonly failing = new Set<string>();
  /** Runs that a person started here, by the server's name. */
  private readonly mine = new Map<string, vscode.TestRun>();
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private readonly parts: { dispose(): void }[];

  constructor(
    private readonly server: Server,
    private readonly table: RunTable,
    private readonly trace: Trace,
    private readonly watch: (run: string) => void,
  ) {
    this.controller.resolveHandler = async (item) => {
      await (item === undefined ? this.discover() : this.readFile(item));
    };
    this.controller.refreshHandler = async () => {
      this.forget();
      await this.discover();
    };
    this.controller.createRunProfile(
      "Run in Sandbox",
      vscode.TestRunProfileKind.Run,
      (request, token) => this.run(request, token),
      true,
    );
    this.parts = [
      this.controller,
      server.on("tests/changed", (params) => void this.results(params)),
      server.onCondition((condition) => {
        if (condition.kind === "running") {
          this.forget();
          void this.discover();
        }
      }),
      table.listen(() => {
        this.endRuns();
      }),
      vscode.workspace.onDidOpenTextDocument((document) => {
        this.reread(document);
      }),
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        this.reread(document);
      }),
    ];
  }

  /** What a menu of the Test Explorer was opened on: targets of a task, by their folder. */
  targets(items: readonly vscode.TestItem[]): Map<string, string[]> {
    const targets = new Map<string, string[]>();
    for (const item of items) {
      const tag = this.tags.get(item);
      if (tag !== undefined) {
        targets.set(tag.folder, [...(targets.get(tag.folder) ?? []), tag.id]);
      }
    }
    return targets;
  }

  dispose(): void {
    for (const timer of this.timers.values()) {
      clearTimeout(timer);
    }
    for (const run of this.mine.values()) {
      run.end();
    }
    for (const part of this.parts) {
      part.dispose();
    }
  }

  private forget(): void {
    this.read.clear();
  }

  /** Ask which files hold tests, of each folder. */
  private async discover(): Promise<void> {
    const seen = new Set<string>();
    for (const folder of localFolders()) {
      try {
        const { files } = await this.server.request("testFiles", { folder: folder.uri.toString() });
        for (const file of files) {
          seen.add(this.fileItem(vscode.Uri.parse(file.uri), file.path, folder).id);
        }
        this.trace.write("discovered", { files: files.map((file) => file.path) });
      } catch (error) {
        // Nobody asked for this: the status bar tells of a server that is away.
        this.trace.write("discovered", { files: [], error: problemOf(error).text });
        return;
      }
    }
    for (const [id] of this.controller.items) {
      if (!seen.has(id)) {
        this.controller.items.delete(id);
        this.files.delete(id);
      }
    }
  }

  private fileItem(
    uri: vscode.Uri,
    path: string,
    folder: vscode.WorkspaceFolder | undefined,
  ): vscode.TestItem {
    const id = uri.toString();
    const known = this.files.get(id);
    if (known !== undefined) {
      return known;
    }
    const item = this.controller.createTestItem(id, path, uri);
    item.canResolveChildren = true;
    if ((vscode.workspace.workspaceFolders?.length ?? 0) > 1 && folder !== undefined) {
      item.description = folder.name;
    }
    this.tags.set(item, { id: path, folder: (folder?.uri ?? uri).toString() });
    this.files.set(id, item);
    this.controller.items.add(item);
    return item;
  }

  /** Ask what tests a file holds; asked once until it changes. */
  private async readFile(item: vscode.TestItem): Promise<void> {
    const file = this.files.get(item.id);
    if (file?.uri === undefined) {
      return;
    }
    const known = this.read.get(file.id);
    if (known !== undefined) {
      await known;
      return;
    }
    const reading = this.fill(file, file.uri);
    this.read.set(file.id, reading);
    await reading;
  }

  private async fill(file: vscode.TestItem, uri: vscode.Uri): Promise<void> {
    file.busy = true;
    try {
      const { items } = await this.server.request("tests", { uri: uri.toString() });
      this.place(
        file,
        uri,
        items.map((unit, index) => ({ unit, index })).filter(({ unit }) => unit.kind !== "stub"),
      );
      this.trace.write("discovered", { uri: uri.toString(), ids: items.map((unit) => unit.id) });
    } catch (error) {
      file.error = problemOf(error).text;
      this.read.delete(file.id);
    } finally {
      file.busy = false;
    }
  }

  /** Put units in their places, keeping items that are still there with their results. */
  private place(
    file: vscode.TestItem,
    uri: vscode.Uri,
    units: readonly { unit: Unit; index: number }[],
  ): void {
    const folder = this.tags.get(file)?.folder ?? uri.toString();
    const byIndex = new Map<number, vscode.TestItem>();
    const old = new Map<string, vscode.TestItem>();
    walk(file, (item) => old.set(item.id, item));
    const children = new Map<vscode.TestItem, vscode.TestItem[]>([[file, []]]);
    for (const { unit, index } of units) {
      const known = old.get(unit.id);
      const item = known ?? this.controller.createTestItem(unit.id, unit.name, uri);
      item.range = rangeOf(unit.selectionRange);
      this.tags.set(item, { id: unit.id, folder });
      byIndex.set(index, item);
      const parent = byIndex.get(unit.parent) ?? file;
      children.set(parent, [...(children.get(parent) ?? []), item]);
      // Parametrised ones are known from results alone: they stay with their test.
      const cases = known === undefined ? [] : [...known.children].map(([, child]) => child);
      children.set(
        item,
        cases.filter((child) => plainId(child.id) === unit.id),
      );
    }
    for (const [item, inside] of children) {
      item.children.replace(inside);
    }
    file.error = undefined;
  }

  /** A document has changed: read it again soon, if its tests were ever asked for. */
  private reread(document: vscode.TextDocument): void {
    const file = this.files.get(document.uri.toString());
    if (file === undefined || document.uri.scheme !== "file") {
      return;
    }
    clearTimeout(this.timers.get(file.id));
    this.timers.set(
      file.id,
      setTimeout(() => {
        this.timers.delete(file.id);
        this.read.delete(file.id);
        void this.readFile(file);
      }, REREAD_MS),
    );
  }

  private async run(
    request: vscode.TestRunRequest,
    token: vscode.CancellationToken,
  ): Promise<void> {
    const chosen = request.include ?? [];
    const all = localFolders().map((each): [string, string[]] => [each.uri.toString(), []]);
    const wanted = chosen.length === 0 ? new Map(all) : this.targets(chosen);
    for (const [folder, targets] of wanted) {
      const run = this.controller.createTestRun(request, "Greenloop", true);
      for (const item of chosen) {
        walk(item, (inside) => {
          run.enqueued(inside);
        });
        run.enqueued(item);
      }
      try {
        const started = await this.server.request("test", { folder, targets });
        this.mine.set(started.run, run);
        this.watch(started.run);
        const cancel = (): void => {
          void this.server.request("cancel", { run: started.run }).catch(() => undefined);
        };
        token.onCancellationRequested(cancel);
        run.token.onCancellationRequested(cancel);
        this.endRuns();
      } catch (error) {
        const text = problemOf(error).text;
        run.appendOutput(`${text}\r\n`);
        for (const item of chosen) {
          run.errored(item, new vscode.TestMessage(text));
        }
        run.end();
        void vscode.window.showErrorMessage(`Greenloop: ${text}`);
        this.trace.write("message", { level: "error", text, buttons: [] });
      }
    }
  }

  /** Runs of the server that are over end theirs here. */
  private endRuns(): void {
    for (const [name, run] of this.mine) {
      const line = this.table.get(name);
      if (line !== undefined && !isActive(line)) {
        this.mine.delete(name);
        if (line.message !== "") {
          run.appendOutput(`${line.message.replaceAll("\n", "\r\n")}\r\n`);
        }
        // Results may come with the same breath as the end; they go first.
        setTimeout(() => {
          run.end();
        }, REREAD_MS);
      }
    }
  }

  private async results(params: Notifications["tests/changed"]): Promise<void> {
    const known = this.mine.get(params.run);
    const items = new Map<TestOutcome, vscode.TestItem>();
    for (const outcome of params.results) {
      const item = await this.itemOf(outcome, params.folder);
      if (item !== undefined) {
        items.set(outcome, item);
      }
    }
    const line = this.table.get(params.run);
    const run =
      known ??
      this.controller.createTestRun(
        new vscode.TestRunRequest([...items.values()]),
        line === undefined ? "Greenloop" : line.title,
        false,
      );
    for (const [outcome, item] of items) {
      report(run, item, outcome);
      this.note(outcome);
    }
    if (known === undefined) {
      run.end();
    }
    void vscode.commands.executeCommand("setContext", "greenloop.failingTests", [...this.failing]);
    this.trace.write("tests", {
      run: params.run,
      results: params.results.map(({ id, outcome }) => ({ id, outcome })),
    });
  }

  private note(outcome: TestOutcome): void {
    if (outcome.outcome === "failed" || outcome.outcome === "error") {
      this.failing.add(outcome.id);
    } else {
      this.failing.delete(outcome.id);
    }
  }

  /** The item of a result: the exact one, else a case of its plain test, else one of the file. */
  private async itemOf(outcome: TestOutcome, folder: string): Promise<vscode.TestItem | undefined> {
    const path = fileOf(outcome.id);
    const uri = vscode.Uri.joinPath(vscode.Uri.parse(folder), ...path.split("/"));
    const file = this.fileItem(uri, path, vscode.workspace.getWorkspaceFolder(uri));
    await this.readFile(file);
    if (outcome.id === path) {
      return file;
    }
    const found = new Map<string, vscode.TestItem>();
    walk(file, (item) => found.set(item.id, item));
    const exact = found.get(outcome.id);
    if (exact !== undefined) {
      return exact;
    }
    const plain = plainId(outcome.id);
    const parent = (plain === undefined ? undefined : found.get(plain)) ?? file;
    const item = this.controller.createTestItem(outcome.id, nameOf(outcome.id), uri);
    const range = outcome.failure === undefined ? parent.range : rangeOf(outcome.failure.range);
    item.range = range;
    this.tags.set(item, { id: outcome.id, folder });
    parent.children.add(item);
    return item;
  }
}

function walk(item: vscode.TestItem, take: (item: vscode.TestItem) => void): void {
  for (const [, child] of item.children) {
    take(child);
    walk(child, take);
  }
}
