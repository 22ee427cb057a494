/**
 * What `initialize` tells the server about this client and its settings.
 */

import * as vscode from "vscode";

import type { Options, Settings } from "../protocol";

const NAMES: readonly (keyof Settings)[] = [
  "strategy",
  "model",
  "attempts",
  "backend",
  "runsAtOnce",
  "onExit",
  "saveOnAccept",
  "recheckOnReject",
  "codeLens",
  "testDiagnostics",
];

/** The settings as they are now, and that this client draws everything itself. */
export function options(): Options {
  const configuration = vscode.workspace.getConfiguration("greenloop");
  const settings: Partial<Settings> = Object.fromEntries(
    NAMES.map((name) => [name, configuration.get(name)]),
  );
  return {
    settings,
    trusted: vscode.workspace.isTrusted,
    client: { runs: true, review: true, tests: true },
  };
}
