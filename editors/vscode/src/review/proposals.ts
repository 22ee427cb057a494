/**
 * Proposals this window looks at, as the server last told them, and the decisions on them.
 *
 * The server decides what goes where; here its answers are kept, saved buffers are saved, and
 * questions that only a person can answer are asked.
 */

import * as vscode from "vscode";

import type { DecideParams, Decided, Hunk, Proposal, ProposalFile } from "../protocol";
import { sentence } from "../problems";
import type { Say } from "../say";
import type { Server } from "../server/server";
import type { Trace } from "../trace";
import { decidedText, isKnownNotGreen } from "./place";

export const BASE_SCHEME = "greenloop-base";
export const PROPOSAL_SCHEME = "greenloop-proposal";

export interface Place {
  proposal: Proposal;
  file: ProposalFile;
}

export class Proposals implements vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<Proposal>();
  private readonly known = new Map<string, Proposal>();
  private readonly parts: vscode.Disposable[];

  /** Hunks, decisions, texts or the check are new. */
  readonly onChanged = this.changed.event;

  constructor(
    private readonly server: Server,
    private readonly say: Say,
    private readonly trace: Trace,
  ) {
    this.parts = [
      server.on("proposal/changed", ({ run, revision }) => {
        const known = this.known.get(run);
        if (known !== undefined && known.revision < revision) {
          void this.load(run).catch(() => undefined);
        }
      }),
      server.onCondition((condition) => {
        if (condition.kind === "running") {
          for (const run of this.known.keys()) {
            void this.load(run).catch(() => undefined);
          }
        }
      }),
    ];
  }

  /** What is known now, without asking. */
  get(run: string): Proposal | undefined {
    return this.known.get(run);
  }

  /** What is known, else asked for. */
  async find(run: string): Promise<Proposal> {
    return this.known.get(run) ?? (await this.load(run));
  }

  async load(run: string): Promise<Proposal> {
    return this.take(await this.server.request("proposal", { run }));
  }

  /** The file of a proposal that a document of ours shows, on either side. */
  place(uri: vscode.Uri): Place | undefined {
    const proposal = this.known.get(runOf(uri));
    const key = uri.toString();
    const file = proposal?.files.find((each) => sides(each).includes(key));
    return proposal === undefined || file === undefined ? undefined : { proposal, file };
  }

  /** The same, asked for where it is not known yet. */
  async findPlace(uri: vscode.Uri): Promise<Place | undefined> {
    if (!this.known.has(runOf(uri))) {
      await this.load(runOf(uri));
    }
    return this.place(uri);
  }

  /** The text of one of our documents. */
  async content(uri: vscode.Uri): Promise<{ text: string; exists: boolean; binary: boolean }> {
    return await this.server.request("content", { uri: this.serverUri(uri) });
  }

  async edit(place: Place, text: string): Promise<void> {
    const { run } = place.proposal;
    this.take(await this.server.request("edit", { run, path: place.file.path, text }));
  }

  /** Measure what is left. */
  async check(run: string): Promise<Proposal> {
    return this.take(await this.server.request("check", { run }));
  }

  /** Accept, reject or reopen; asks before something that is not green goes in. */
  async decide(params: DecideParams): Promise<Decided | undefined> {
    await savePending(params.run);
    const clean = cleanFiles();
    let decided = await this.server.request("decide", params);
    this.take(decided.proposal);
    if (
      decided.refused !== "" &&
      params.decision === "accept" &&
      params.evenIfNotGreen !== true &&
      isKnownNotGreen(decided.proposal)
    ) {
      const detail =
        "The tests do not pass with what would be accepted. Your files change all the same.";
      if (!(await this.say.sure(sentence(decided.refused), detail, "Accept Anyway"))) {
        return undefined;
      }
      decided = await this.server.request("decide", { ...params, evenIfNotGreen: true });
      this.take(decided.proposal);
    }
    const word = { accept: "accepted", reject: "rejected", reopen: "open again" }[params.decision];
    await this.tell(decided, params.decision, word, clean);
    return decided;
  }

  /** Take back everything of a run that was accepted. */
  async undo(run: string): Promise<Decided> {
    const clean = cleanFiles();
    const decided = await this.server.request("undo", { run });
    this.take(decided.proposal);
    await this.tell(decided, "undo", "taken back", clean);
    return decided;
  }

  dispose(): void {
    vscode.Disposable.from(...this.parts).dispose();
    this.changed.dispose();
  }

  /** Save what was clean before, and say what did not go in. */
  private async tell(
    decided: Decided,
    decision: string,
    word: string,
    clean: ReadonlySet<string>,
  ): Promise<void> {
    for (const { uri, how, save } of decided.done) {
      const key = vscode.Uri.parse(uri).toString();
      if (how === "buffer" && save && clean.has(key)) {
        await openDocument(key)?.save();
      }
    }
    const { run } = decided.proposal;
    const { done, conflicts, refused } = decided;
    this.trace.write("decided", { run, decision, done, conflicts, refused });
    if (refused !== "") {
      this.say.warn(`Greenloop: ${sentence(refused)}`);
      return;
    }
    const hunks = done.flatMap((each) => each.hunks).length;
    const missed = conflicts.flatMap((each) => each.hunks).length;
    const text = decidedText(hunks, missed, word);
    const first = conflicts[0];
    if (first === undefined) {
      if (text !== "") {
        vscode.window.setStatusBarMessage(`Greenloop: ${text}`, 4000);
      }
      return;
    }
    const file = decided.proposal.files.find((each) => each.path === first.path);
    const where = `${first.path}, line ${first.line + 1}: ${first.why}`;
    const buttons = file === undefined ? [] : [showPlace(file, first.line), compare(run, file)];
    this.say.warn(`Greenloop: ${text}. ${sentence(where)}`, ...buttons);
  }

  private take(proposal: Proposal): Proposal {
    const known = this.known.get(proposal.run);
    if (known !== undefined && known.revision > proposal.revision) {
      return known; // An answer that was overtaken by a newer one.
    }
    this.known.set(proposal.run, proposal);
    // Who draws a proposal asks for it: the same one again must not make them draw anew.
    if (JSON.stringify(known) !== JSON.stringify(proposal)) {
      this.changed.fire(proposal);
    }
    return proposal;
  }

  /** A URI as the server spells it: two parties may escape the same one differently. */
  private serverUri(uri: vscode.Uri): string {
    const file = this.place(uri)?.file;
    if (file === undefined) {
      return uri.toString();
    }
    return uri.scheme === BASE_SCHEME ? file.baseUri : file.proposedUri;
  }
}

/** The run that a document of ours belongs to. */
export function runOf(uri: vscode.Uri): string {
  return new URLSearchParams(uri.query).get("run") ?? "";
}

/** All hunks of a proposal, in order. */
export function allHunks(proposal: Proposal): Hunk[] {
  return proposal.files.flatMap((file) => file.hunks);
}

function sides(file: ProposalFile): string[] {
  return [file.baseUri, file.proposedUri].map((uri) => vscode.Uri.parse(uri).toString());
}

/** Hand edits of a proposal that are not saved yet belong to what is decided on. */
async function savePending(run: string): Promise<void> {
  for (const document of vscode.workspace.textDocuments) {
    const isOurs = document.uri.scheme === PROPOSAL_SCHEME && runOf(document.uri) === run;
    if (isOurs && document.isDirty) {
      await document.save();
    }
  }
}

function cleanFiles(): Set<string> {
  const clean = vscode.workspace.textDocuments.filter((document) => !document.isDirty);
  return new Set(clean.map((document) => document.uri.toString()));
}

function openDocument(key: string): vscode.TextDocument | undefined {
  return vscode.workspace.textDocuments.find((each) => each.uri.toString() === key);
}

function showPlace(file: ProposalFile, line: number): { label: string; run(): unknown } {
  const selection = new vscode.Range(line, 0, line, 0);
  return {
    label: "Show Place",
    run: () => vscode.window.showTextDocument(vscode.Uri.parse(file.uri), { selection }),
  };
}

function compare(run: string, file: ProposalFile): { label: string; run(): unknown } {
  return {
    label: "Compare with File",
    run: () =>
      vscode.commands.executeCommand("greenloop.compareWithFile", { run, path: file.path }),
  };
}
