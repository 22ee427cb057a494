/**
 * What stands above the lines of a proposal: the check on top, decisions at each hunk.
 */

import * as vscode from "vscode";

import type { Hunk, Proposal, ProposalFile } from "../protocol";
import { count } from "../runs/wording";
import { nameOf } from "../tests/ids";
import { checkText, hunkLine, hunkNumbers, topLine } from "./place";
import { type Proposals, PROPOSAL_SCHEME } from "./proposals";

export class HunkLenses implements vscode.CodeLensProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly parts: vscode.Disposable[];

  readonly onDidChangeCodeLenses = this.changed.event;

  constructor(private readonly proposals: Proposals) {
    this.parts = [
      vscode.languages.registerCodeLensProvider({ scheme: PROPOSAL_SCHEME }, this),
      proposals.onChanged(() => {
        this.changed.fire();
      }),
    ];
  }

  async provideCodeLenses(document: vscode.TextDocument): Promise<vscode.CodeLens[]> {
    const place = await this.proposals.findPlace(document.uri).catch(() => undefined);
    if (place === undefined) {
      return [];
    }
    const { proposal, file } = place;
    const numbers = hunkNumbers(proposal);
    const line0 = topLine(file, document.lineCount);
    const top = topCommands(proposal, file).map((command) => lens(line0, command));
    const hunks = file.hunks.flatMap((hunk) => {
      const line = hunkLine(hunk, document.lineCount);
      const number = `${numbers.get(hunk.id) ?? 0} of ${numbers.size}`;
      return hunkCommands(proposal.run, file, hunk, number).map((each) => lens(line, each));
    });
    return [...top, ...hunks];
  }

  dispose(): void {
    vscode.Disposable.from(...this.parts).dispose();
    this.changed.dispose();
  }
}

function topCommands(proposal: Proposal, file: ProposalFile): vscode.Command[] {
  const { run } = proposal;
  const open = file.hunks.filter((hunk) => hunk.state === "open").length;
  const isMeasured = proposal.check.state === "measured" || proposal.check.state === "running";
  const check: vscode.Command = {
    // The status bar has the whole of it; a pane of half the width has not the room.
    title: checkText(proposal).split(": ", 1)[0] ?? "",
    command: isMeasured ? "greenloop.showEvidence" : "greenloop.checkProposal",
    arguments: [{ run }],
    tooltip: [
      checkText(proposal).replace(/^\$\([^)]*\) /, ""),
      isMeasured ? "Show the evidence" : "Measure what is left, in a fresh sandbox",
    ].join("\n"),
  };
  const commands = [check];
  if (open > 0) {
    commands.push(
      {
        title: "Accept File",
        command: "greenloop.acceptFile",
        arguments: [{ run, path: file.path }],
      },
      {
        title: "Reject File",
        command: "greenloop.rejectFile",
        arguments: [{ run, path: file.path }],
      },
    );
  }
  if (proposal.canUndo) {
    commands.push({ title: "Undo Accepted", command: "greenloop.undo", arguments: [{ run }] });
  }
  return commands;
}

function hunkCommands(
  run: string,
  file: ProposalFile,
  hunk: Hunk,
  number: string,
): vscode.Command[] {
  const subject = { run, path: file.path, hunk: hunk.id };
  const needed = hunk.neededFor.length;
  const why =
    needed > 0
      ? ` · needed for ${needed === 1 ? nameOf(hunk.neededFor[0] ?? "") : count(needed, "test")}`
      : hunk.ownTest
        ? " · adds a test"
        : "";
  const about: vscode.Command = {
    title: `hunk ${number}${why}`,
    command: "greenloop.showHunk",
    arguments: [subject],
    tooltip: hunk.neededFor.join("\n"),
  };
  switch (hunk.state) {
    case "open": {
      const decide: vscode.Command[] = [
        { title: "$(check) Accept", command: "greenloop.acceptHunk", arguments: [subject] },
        { title: "$(close) Reject", command: "greenloop.rejectHunk", arguments: [subject] },
      ];
      return hunk.conflict === undefined
        ? [...decide, about]
        : [...decide, conflict(subject, hunk)];
    }
    case "accepted":
      return [
        {
          title: `$(check) accepted · hunk ${number}`,
          command: "greenloop.showHunk",
          arguments: [subject],
        },
      ];
    case "rejected":
      return [
        {
          title: `$(close) rejected · hunk ${number}`,
          command: "greenloop.showHunk",
          arguments: [subject],
        },
        { title: "Reopen", command: "greenloop.reopenHunk", arguments: [subject] },
      ];
  }
}

function conflict(subject: object, hunk: Hunk): vscode.Command {
  return {
    title: "$(warning) meets newer text: compare",
    command: "greenloop.compareWithFile",
    arguments: [subject],
    tooltip: `It cannot go in now: ${hunk.conflict ?? ""}`,
  };
}

/** A lens; the icons in its title keep their distance, where a plain space would be dropped. */
function lens(line: number, command: vscode.Command): vscode.CodeLens {
  command = { ...command, title: command.title.replace(/(\$\([^)]*\)) /g, "$1\u00a0") };
  return new vscode.CodeLens(new vscode.Range(line, 0, line, 0), command);
}
