/**
 * What is done differently from a plain language client.
 *
 * Commands of the server that start something go through ours, so that a lens or a code action
 * shows progress as the palette does; progress of the server's own making is not drawn twice.
 */

import * as vscode from "vscode";
import type { Middleware } from "vscode-languageclient";

/** Commands of the server that have one of ours with the same params. */
const OURS: Readonly<Record<string, string>> = {
  "greenloop.server.start": "greenloop.start",
  "greenloop.server.test": "greenloop.test",
  "greenloop.server.cancel": "greenloop.cancel",
  "greenloop.server.resume": "greenloop.resume",
};

export function middleware(): Middleware {
  return {
    executeCommand: (command, args, next) => {
      const ours = OURS[command];
      const [params] = args as unknown[];
      return ours === undefined
        ? (next(command, args) as Promise<unknown>)
        : vscode.commands.executeCommand(ours, params);
    },
    // Every run has a notification of ours, with a Cancel that can be seen.
    handleWorkDoneProgress: () => undefined,
  };
}
