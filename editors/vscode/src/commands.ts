/**
 * The commands of the palette, menus, lenses and buttons: each is one line to the part that does it.
 */

import * as vscode from "vscode";

import { INSTALL, type Problem, problemOf } from "./problems";
import type { DecideParams, StartParams } from "./protocol";
import type { Proposals } from "./review/proposals";
import type { Review, Subject } from "./review/review";
import type { RunLogs } from "./runs/logs";
import type { Node } from "./runs/nodes";
import { recall } from "./runs/recall";
import type { Starting } from "./runs/starting";
import { type RunTable, wantsReview } from "./runs/table";
import type { RunTree } from "./runs/tree";
import type { Watching } from "./runs/watching";
import type { Say } from "./say";
import type { Server } from "./server/server";
import type { StatusBar } from "./status";
import { statusLines } from "./statusWording";
import type { Explorer } from "./tests/explorer";
import type { Trace } from "./trace";

export interface Parts {
  server: Server;
  table: RunTable;
  proposals: Proposals;
  review: Review;
  watching: Watching;
  starting: Starting;
  tree: RunTree;
  logs: RunLogs;
  status: StatusBar;
  explorer: Explorer;
  say: Say;
  trace: Trace;
  log: vscode.LogOutputChannel;
}

/** What a menu or a lens hands over: a line of the tree, or a plain subject. */
type Given = (Subject & { folder?: string }) | Node | undefined;

export function registerCommands(parts: Parts): vscode.Disposable {
  const { server, table, proposals, review, starting, tree, logs, trace } = parts;
  const registered: vscode.Disposable[] = [];
  // Arguments come from menus, lenses and key bindings: each command says what it takes.
  const command = (name: string, run: (...args: never[]) => unknown): void => {
    const id = `greenloop.${name}`;
    registered.push(
      vscode.commands.registerCommand(id, async (...args: unknown[]) => {
        trace.write("command", { id });
        try {
          await (run as (...args: unknown[]) => unknown)(...args);
        } catch (error) {
          tellFailure(parts, error);
        }
      }),
    );
  };

  command("fix", (given?: Given) =>
    starting.fix(given !== undefined && "folder" in given ? given.folder : undefined),
  );
  command("fixTest", (item?: unknown) =>
    isTestItem(item) ? fixItems(parts, [item]) : starting.fixTest(),
  );
  command("fixTestItem", (...given: unknown[]) => fixItems(parts, testItems(given)));
  command("fixProblem", () => starting.fixProblem());
  command("implement", () => starting.implement());
  command("implementStub", () => starting.implementStub());
  command("changeSelection", () => starting.changeSelection());
  command("runTests", () => starting.runTests());
  command("start", (params: StartParams) => starting.start(params));
  command("test", (params: { folder?: string; targets?: string[] }) => starting.test(params));
  command("cancel", (given?: Given) => starting.cancel(given?.run));
  command("resume", (given?: Given) => starting.resume(given?.run));

  command("showRuns", (given?: Given) => tree.show(given?.run));
  command("refreshRuns", () => recall(server, table));
  command("showLog", async (given?: Given) => {
    const run =
      given?.run ??
      (await starting.pick("The log of which run?", "There is no run yet.", () => true));
    await (run === undefined ? undefined : logs.open(run));
  });
  command("showEvidence", (given?: Given) => showEvidence(parts, given));

  command("review", async (given?: Given) => {
    const run = given?.run ?? (await runToReview(parts));
    await (run === undefined ? undefined : review.open(run));
  });
  command("compareFile", (given: Given) =>
    withFile(given, (run, path, hunk) => review.openFile(run, path, hunk)),
  );
  command("showHunk", (given: Given) =>
    withFile(given, (run, path, hunk) => review.openFile(run, path, hunk)),
  );
  command("compareWithFile", (given: Given) =>
    withFile(given, (run, path) => review.compareWithFile(run, path)),
  );
  command("openFile", async (given?: Given) => {
    const place = await placeOf(parts, given);
    const line = vscode.window.activeTextEditor?.selection.active.line ?? 0;
    if (place !== undefined) {
      const selection = new vscode.Range(line, 0, line, 0);
      await vscode.window.showTextDocument(vscode.Uri.parse(place.uri), { selection });
    }
  });
  command("nextHunk", () => review.move("next"));
  command("previousHunk", () => review.move("previous"));
  for (const decision of ["accept", "reject", "reopen"] as const) {
    command(`${decision}Hunk`, (given?: Given) => decideHunk(parts, decision, subjectOf(given)));
    command(`${decision}File`, (given?: Given) => decideFile(parts, decision, given));
    command(`${decision}All`, (given?: Given) => decideAll(parts, decision, given));
  }
  command("undo", async (given?: Given) => {
    const run = given?.run ?? review.activeRun() ?? (await runToUndo(parts));
    await (run === undefined ? undefined : proposals.undo(run));
  });
  command("checkProposal", async (given?: Given) => {
    const run = given?.run ?? review.activeRun() ?? (await runToReview(parts));
    await (run === undefined ? undefined : proposals.check(run));
  });

  command("restartServer", () => server.restart());
  command("showServerLog", () => {
    parts.log.show();
  });
  command("showStatus", () => showStatus(parts));
  command("showMenu", () => showMenu(parts));
  command("openSettings", (name?: string) =>
    vscode.commands.executeCommand(
      "workbench.action.openSettings",
      name ?? "@ext:greenloop.greenloop",
    ),
  );
  command("copyInstallCommand", async () => {
    await vscode.env.clipboard.writeText(INSTALL);
    vscode.window.setStatusBarMessage(`Greenloop: copied “${INSTALL}”`, 5000);
  });
  command("openWalkthrough", () =>
    vscode.commands.executeCommand(
      "workbench.action.openWalkthrough",
      "greenloop.greenloop#greenloop.start",
      false,
    ),
  );
  return vscode.Disposable.from(...registered);
}

/** A server that is away is told as such; everything else by what it said. */
function tellFailure({ say, status }: Parts, error: unknown): void {
  const problem = (error as { problem?: Problem }).problem ?? problemOf(error);
  say.problem(problem);
  if (problem.kind === "no_engine") {
    status.learn().catch(() => undefined);
  }
}

function subjectOf(given: Given): Subject {
  if (given === undefined || !("kind" in given)) {
    return given ?? {};
  }
  switch (given.kind) {
    case "hunk":
      return { run: given.run, path: given.file.path, hunk: given.hunk.id };
    case "file":
      return { run: given.run, path: given.file.path };
    default:
      return { run: given.run };
  }
}

async function withFile(
  given: Given,
  run: (run: string, path: string, hunk?: string) => Promise<void>,
): Promise<void> {
  const subject = subjectOf(given);
  if (subject.run !== undefined && subject.path !== undefined) {
    await run(subject.run, subject.path, subject.hunk);
  }
}

/** The file that is meant: of the subject, else the one in front. */
async function placeOf(
  { proposals, review }: Parts,
  given: Given,
): Promise<{ run: string; path: string; uri: string } | undefined> {
  const subject = subjectOf(given);
  if (subject.run === undefined || subject.path === undefined) {
    const place = await review.activePlace();
    return place === undefined
      ? undefined
      : { run: place.proposal.run, path: place.file.path, uri: place.file.uri };
  }
  const proposal = await proposals.find(subject.run);
  const file = proposal.files.find((each) => each.path === subject.path);
  return file === undefined ? undefined : { run: proposal.run, path: file.path, uri: file.uri };
}

async function decideHunk(
  { proposals, review, say }: Parts,
  decision: DecideParams["decision"],
  subject: Subject,
): Promise<void> {
  const found = await review.hunkOf(subject);
  if (found === undefined) {
    say.info("There is no hunk here. Open a review and put the cursor at one.");
    return;
  }
  await proposals.decide({ run: found.run, decision, hunks: [found.hunk.id] });
}

async function decideFile(
  parts: Parts,
  decision: DecideParams["decision"],
  given: Given,
): Promise<void> {
  const place = await placeOf(parts, given);
  if (place !== undefined) {
    await parts.proposals.decide({ run: place.run, decision, path: place.path });
  }
}

async function decideAll(
  parts: Parts,
  decision: DecideParams["decision"],
  given: Given,
): Promise<void> {
  const run = given?.run ?? parts.review.activeRun() ?? (await runToReview(parts));
  if (run !== undefined) {
    await parts.proposals.decide({ run, decision });
  }
}

async function runToReview({ starting, table }: Parts): Promise<string | undefined> {
  const hasOpen = table.all().some(wantsReview);
  return await starting.pick(
    "Review which run?",
    "There is no patch to review yet. Fix something first.",
    (line) => (hasOpen ? wantsReview(line) : line.canReview),
  );
}

async function runToUndo({ starting }: Parts): Promise<string | undefined> {
  return await starting.pick(
    "Take back which run?",
    "Nothing was accepted that could be taken back.",
    (line) => (line.hunks?.accepted ?? 0) > 0,
  );
}

/** The receipt of what is measured now, as the file it is. */
async function showEvidence(parts: Parts, given: Given): Promise<void> {
  const { server, proposals, review, starting, say, trace } = parts;
  const run =
    given?.run ??
    review.activeRun() ??
    (await starting.pick(
      "The evidence of which run?",
      "There is no green run yet.",
      (line) => line.verdict === "green",
    ));
  if (run === undefined) {
    return;
  }
  const known = proposals.get(run)?.check.receipt ?? "";
  const receipt = known === "" ? (await server.request("run", { run })).receipt : known;
  if (receipt === "") {
    say.info("This run has no evidence: only a green has a receipt.");
    return;
  }
  const uri = vscode.Uri.file(receipt);
  await vscode.window.showTextDocument(uri, { preview: true });
  trace.write("opened", { how: "document", run, uris: [uri.toString()] });
}

async function showStatus({ status, trace }: Parts): Promise<void> {
  const found = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title: "Greenloop: looking at engine and model" },
    () => status.learn(),
  );
  const lines = statusLines(found);
  trace.write("status", { text: lines.map((line) => line.label).join(" · ") });
  const items = lines.map((line) => ({
    label: `$(${line.icon}) ${line.label}`,
    ...(line.detail === "" ? {} : { detail: line.detail }),
    line,
  }));
  const title = "Greenloop: Status";
  const chosen = await vscode.window.showQuickPick(items, { title });
  if (chosen?.line.command !== undefined) {
    await vscode.commands.executeCommand(chosen.line.command, ...(chosen.line.args ?? []));
  }
}

/** What the status bar offers. */
async function showMenu({ server, table }: Parts): Promise<void> {
  const runs = table.all();
  const isUp = server.condition.kind === "running";
  const items: (vscode.QuickPickItem & { command: string; isOffered: boolean })[] = [
    {
      label: "$(git-pull-request) Review",
      command: "review",
      isOffered: runs.some((line) => line.canReview),
    },
    {
      label: "$(debug-stop) Cancel Run",
      command: "cancel",
      isOffered: runs.some((line) => line.canCancel),
    },
    { label: "$(wand) Fix Failing Tests", command: "fix", isOffered: isUp },
    { label: "$(edit) Implement…", command: "implement", isOffered: isUp },
    { label: "$(play) Run Tests", command: "runTests", isOffered: isUp },
    { label: "$(list-tree) Show Runs", command: "showRuns", isOffered: true },
    {
      label: "$(pulse) Show Status",
      description: "engine, model, repository",
      command: "showStatus",
      isOffered: isUp,
    },
    { label: "$(output) Show Server Log", command: "showServerLog", isOffered: true },
    { label: "$(debug-restart) Restart Server", command: "restartServer", isOffered: true },
    { label: "$(gear) Settings", command: "openSettings", isOffered: true },
    { label: "$(book) First Steps", command: "openWalkthrough", isOffered: true },
  ];
  const chosen = await vscode.window.showQuickPick(
    items.filter((item) => item.isOffered),
    { title: server.condition.text },
  );
  if (chosen !== undefined) {
    await vscode.commands.executeCommand(`greenloop.${chosen.command}`);
  }
}

async function fixItems(
  { explorer, starting }: Parts,
  items: readonly vscode.TestItem[],
): Promise<void> {
  for (const [folder, targets] of explorer.targets(items)) {
    await starting.fix(folder, targets);
  }
}

/** Test items from a menu of a test, of several, or of a message. */
function testItems(given: readonly unknown[]): vscode.TestItem[] {
  const [first, several] = given;
  const many = Array.isArray(several) ? several.filter(isTestItem) : [];
  if (many.length > 0) {
    return many;
  }
  if (isTestItem(first)) {
    return [first];
  }
  const ofMessage = (first as { test?: unknown } | undefined)?.test;
  return isTestItem(ofMessage) ? [ofMessage] : [];
}

function isTestItem(value: unknown): value is vscode.TestItem {
  return (
    typeof value === "object" &&
    value !== null &&
    "canResolveChildren" in value &&
    "children" in value
  );
}
