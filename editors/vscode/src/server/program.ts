/**
 * The server as a process of this machine: started, its words passed on, its end explained.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type * as vscode from "vscode";

import { serverEnvironment } from "./machine";

const END_MS = 1_000;

/** Start the program; a program that cannot be started at all is an error with its reason. */
export async function spawned(
  command: string,
  log: vscode.LogOutputChannel,
): Promise<ChildProcess> {
  const child = spawn(command, ["--stdio"], { env: serverEnvironment(), stdio: "pipe" });
  child.stdin.on("error", (error) => {
    log.debug(`the server reads no more: ${error.message}`);
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
  child.on("error", (error) => {
    log.error(error);
  });
  return child;
}

/** Pass on what the program prints, line by line. */
export function forward(stream: NodeJS.ReadableStream, log: vscode.LogOutputChannel): void {
  createInterface({ input: stream }).on("line", (line) => {
    log.info(line);
  });
}

/** How a program that did not answer came to its end; it is ended where it has not. */
export async function endOf(child: ChildProcess): Promise<string> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    const late = new Promise((resolve) => setTimeout(resolve, END_MS));
    await Promise.race([ended, late]);
  }
  if (child.exitCode === null && child.signalCode === null) {
    child.kill("SIGTERM");
    return "It did not answer as a language server does.";
  }
  const how = child.signalCode ?? `exit code ${String(child.exitCode)}`;
  return `It ended with ${how} before it answered.`;
}
