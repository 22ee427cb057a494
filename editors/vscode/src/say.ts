/**
 * Messages to the person: one toast each, with buttons that run something.
 *
 * Never modal unless it asks a question whose answer changes files.
 */

import * as vscode from "vscode";

import { type Problem, problemOf } from "./problems";
import type { Trace } from "./trace";

export interface Button {
  label: string;
  run(): unknown;
}

type Level = "info" | "warning" | "error";

export class Say {
  constructor(private readonly trace: Trace) {}

  tell(level: Level, text: string, ...buttons: Button[]): void {
    void this.show(level, text, buttons);
  }

  info(text: string, ...buttons: Button[]): void {
    void this.show("info", text, buttons);
  }

  warn(text: string, ...buttons: Button[]): void {
    void this.show("warning", text, buttons);
  }

  error(text: string, ...buttons: Button[]): void {
    void this.show("error", text, buttons);
  }

  /** Tell a failure of a request; what the person cancelled needs no telling. */
  failure(error: unknown): void {
    this.problem(problemOf(error));
  }

  problem(problem: Problem): void {
    if (problem.kind === "cancelled") {
      return;
    }
    const buttons = problem.remedies.map((remedy) => ({
      label: remedy.label,
      run: () => vscode.commands.executeCommand(remedy.command, ...(remedy.args ?? [])),
    }));
    void this.show(
      problem.kind === "" || problem.kind === "failed" ? "error" : "warning",
      problem.text,
      buttons,
    );
  }

  /** Ask a question that has to be answered before anything goes on. */
  async sure(text: string, detail: string, yes: string): Promise<boolean> {
    this.trace.write("message", { level: "modal", text, detail, buttons: [yes] });
    const chosen = await vscode.window.showWarningMessage(text, { modal: true, detail }, yes);
    this.trace.write("chosen", { text, button: chosen ?? "" });
    return chosen === yes;
  }

  private async show(level: Level, text: string, buttons: readonly Button[]): Promise<void> {
    const labels = buttons.map((button) => button.label);
    this.trace.write("message", { level, text, buttons: labels });
    let chosen: string | undefined;
    try {
      chosen = await toast(level, text, labels);
    } catch {
      return; // The window is being closed: telling that would fail again, for ever.
    }
    this.trace.write("chosen", { text, button: chosen ?? "" });
    try {
      await buttons.find((button) => button.label === chosen)?.run();
    } catch (error) {
      this.failure(error);
    }
  }
}

function toast(
  level: Level,
  text: string,
  labels: readonly string[],
): Thenable<string | undefined> {
  switch (level) {
    case "info":
      return vscode.window.showInformationMessage(text, ...labels);
    case "warning":
      return vscode.window.showWarningMessage(text, ...labels);
    case "error":
      return vscode.window.showErrorMessage(text, ...labels);
  }
}
