/**
 * What this machine looks like to the search for the server: settings, PATH, Python environments.
 *
 * The one place that reads the process environment.
 */

import { accessSync, constants, statSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter } from "node:path";
import * as vscode from "vscode";

import type { Machine } from "./lookup";

const WINDOWS = process.platform === "win32";

/** Look at this machine now. */
export async function thisMachine(): Promise<Machine> {
  const folders = localFolders();
  return {
    setting: vscode.workspace.getConfiguration("greenloop").get<string>("server.path", ""),
    trusted: vscode.workspace.isTrusted,
    interpreters: vscode.workspace.isTrusted ? await selectedInterpreters() : [],
    folders: folders.map((folder) => folder.uri.fsPath),
    path: (process.env["PATH"] ?? "").split(delimiter),
    home: homedir(),
    windows: WINDOWS,
    isProgram,
  };
}

/** The environment the server gets: ours, without what only this extension reads. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  const environment = { ...process.env };
  delete environment["GREENLOOP_TRACE"];
  return environment;
}

/** The file that `GREENLOOP_TRACE` or the setting names. */
export function traceFile(): string | undefined {
  const setting = vscode.workspace.getConfiguration("greenloop").get<string>("trace.file", "");
  return process.env["GREENLOOP_TRACE"] ?? (setting === "" ? undefined : setting);
}

/** Folders of the workspace that are on this machine's disk. */
export function localFolders(): vscode.WorkspaceFolder[] {
  return (vscode.workspace.workspaceFolders ?? []).filter((each) => each.uri.scheme === "file");
}

function isProgram(file: string): boolean {
  try {
    if (!statSync(file).isFile()) {
      return false;
    }
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The part of ms-python's public interface that is used here. */
interface PythonExtension {
  readonly environments?: {
    getActiveEnvironmentPath?(resource?: vscode.Uri): { readonly path: string };
    resolveEnvironment?(environment: {
      readonly path: string;
    }): Promise<{ readonly executable: { readonly uri?: vscode.Uri } } | undefined>;
  };
}

async function selectedInterpreters(): Promise<string[]> {
  const extension = vscode.extensions.getExtension<PythonExtension>("ms-python.python");
  if (extension === undefined) {
    return [];
  }
  try {
    const { environments } = await extension.activate();
    const found = new Set<string>();
    for (const folder of localFolders()) {
      const active = environments?.getActiveEnvironmentPath?.(folder.uri);
      const resolved =
        active === undefined ? undefined : await environments?.resolveEnvironment?.(active);
      const file = resolved?.executable.uri?.fsPath;
      if (file !== undefined) {
        found.add(file);
      }
    }
    return [...found];
  } catch {
    // Another extension's trouble is no reason not to look in the other places.
    return [];
  }
}
