/**
 * Greenloop for VS Code: puts the parts together and ends them. Decides nothing else.
 */

import * as vscode from "vscode";

import { registerCommands } from "./commands";
import { middleware } from "./middleware";
import type { RunLine } from "./protocol";
import { ReviewDocuments } from "./review/documents";
import { HunkLenses } from "./review/lenses";
import { Marks } from "./review/marks";
import { Proposals } from "./review/proposals";
import { Review } from "./review/review";
import { RunLogs } from "./runs/logs";
import { recall } from "./runs/recall";
import { Starting } from "./runs/starting";
import { RunTable } from "./runs/table";
import { RunTree } from "./runs/tree";
import { Watching } from "./runs/watching";
import { endMessage, type EndButton } from "./runs/wording";
import { type Button, Say } from "./say";
import { traceFile } from "./server/machine";
import { options } from "./server/options";
import { Server } from "./server/server";
import { StatusBar } from "./status";
import { Explorer } from "./tests/explorer";
import { Trace } from "./trace";

let running: Server | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const trace = new Trace(traceFile());
  const log = vscode.window.createOutputChannel("Greenloop", { log: true });
  const say = new Say(trace);
  const server = new Server(log, trace, middleware(), options);
  running = server;
  const table = new RunTable();
  const proposals = new Proposals(server, say, trace);
  const review = new Review(proposals, trace);
  const watching = new Watching(
    table,
    trace,
    (run) =>
      void server.request("cancel", { run }).catch((error: unknown) => {
        say.failure(error);
      }),
    (line, wasCancelled) => {
      tellEnd(say, line, wasCancelled);
    },
  );
  const starting = new Starting(server, table, watching, say);
  const tree = new RunTree(server, table, (run) => proposals.find(run));
  const logs = new RunLogs(server, table, trace);
  const status = new StatusBar(server, table, proposals, review, trace);
  const explorer = new Explorer(server, table, trace, (run) => {
    watching.watch(run);
  });
  context.subscriptions.push(
    log,
    server,
    proposals,
    review,
    watching,
    tree,
    logs,
    status,
    explorer,
    new ReviewDocuments(proposals),
    new HunkLenses(proposals),
    new Marks(proposals),
    tree.view.onDidChangeVisibility(({ visible }) => {
      if (visible) {
        status.learn().catch(() => undefined);
      }
    }),
    registerCommands({
      server,
      table,
      proposals,
      review,
      watching,
      starting,
      tree,
      logs,
      status,
      explorer,
      say,
      trace,
      log,
    }),
    server.on("run/changed", (line) => {
      table.take(line);
    }),
    table.listen((line) => {
      tree.badge();
      if (line !== undefined && proposals.get(line.run) !== undefined) {
        tree.refresh(line.run);
      }
    }),
    proposals.onChanged(({ run }) => {
      tree.refresh(run);
    }),
    server.onCondition((condition) => {
      void vscode.commands.executeCommand("setContext", "greenloop.server", condition.kind);
      const isReady = condition.kind === "running";
      void vscode.commands.executeCommand("setContext", "greenloop.isReady", isReady);
      switch (condition.kind) {
        case "running":
          void recall(server, table).catch(() => {
            watching.giveUp();
          });
          break;
        case "stopped":
        case "starting":
          watching.pause("the server is started again");
          break;
        case "missing":
        case "failed":
          watching.giveUp();
          say.problem(server.problem());
          break;
      }
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      server.notify("trust", { trusted: true });
      // A server of the workspace's own environment may be run only now.
      if (server.condition.kind === "missing") {
        void server.start();
      }
    }),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("greenloop.server.path")) {
        void server.restart();
      }
    }),
  );
  const { version } = context.extension.packageJSON as { version: string };
  trace.write("activated", { version });
  void server.start();
}

/** VS Code gives an extension about five seconds to end; the server cleans up by itself. */
export async function deactivate(): Promise<void> {
  await running?.stop();
}

function tellEnd(say: Say, line: RunLine, wasCancelled: boolean): void {
  const { level, text, buttons } = endMessage(line);
  const { run, folder } = line;
  const command = (label: string, name: string, argument: object = { run }): Button => ({
    label,
    run: () => vscode.commands.executeCommand(`greenloop.${name}`, argument),
  });
  const all: Record<EndButton, Button> = {
    review: command("Review", "review"),
    acceptAll: command("Accept All", "acceptAll"),
    log: command("Show Log", "showLog"),
    resume: command("Resume", "resume"),
    fix: command("Fix Failing Tests", "fix", { folder }),
    status: command("Show Status", "showStatus"),
  };
  if (level === "quiet" || wasCancelled) {
    vscode.window.setStatusBarMessage(`Greenloop: ${text}`, 5000);
    return;
  }
  say.tell(level, text, ...buttons.map((button) => all[button]));
}
