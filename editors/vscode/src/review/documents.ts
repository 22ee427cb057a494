/**
 * The two sides of a review as documents: the base read-only, the proposal writable.
 *
 * Saving a proposal sends its text to the server, which computes hunks anew. No file is touched.
 */

import * as vscode from "vscode";

import { problemOf } from "../problems";
import type { Proposal } from "../protocol";
import { BASE_SCHEME, type Proposals, PROPOSAL_SCHEME } from "./proposals";

interface Entry {
  bytes: Uint8Array;
  mtime: number;
  binary: boolean;
}

const BINARY = "(a binary file: it is accepted or rejected as a whole)\n";

export class ReviewDocuments
  implements vscode.FileSystemProvider, vscode.TextDocumentContentProvider, vscode.Disposable
{
  private readonly changed = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  private readonly entries = new Map<string, Entry>();
  private readonly parts: vscode.Disposable[];

  readonly onDidChangeFile = this.changed.event;

  constructor(private readonly proposals: Proposals) {
    this.parts = [
      vscode.workspace.registerFileSystemProvider(PROPOSAL_SCHEME, this, { isCaseSensitive: true }),
      vscode.workspace.registerTextDocumentContentProvider(BASE_SCHEME, this),
      proposals.onChanged((proposal) => void this.refresh(proposal)),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => {
        if (uri.scheme === PROPOSAL_SCHEME) {
          this.entries.delete(uri.toString());
        }
      }),
    ];
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const content = await this.proposals.content(uri);
    return content.binary ? BINARY : content.text;
  }

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    const entry = await this.entry(uri);
    const stat = {
      type: vscode.FileType.File,
      ctime: 0,
      mtime: entry.mtime,
      size: entry.bytes.length,
    };
    return entry.binary ? { ...stat, permissions: vscode.FilePermission.Readonly } : stat;
  }

  async readFile(uri: vscode.Uri): Promise<Uint8Array> {
    return (await this.entry(uri)).bytes;
  }

  async writeFile(uri: vscode.Uri, content: Uint8Array): Promise<void> {
    const place = await this.proposals.findPlace(uri);
    if (place === undefined) {
      throw vscode.FileSystemError.FileNotFound(uri);
    }
    if (place.file.binary) {
      throw vscode.FileSystemError.NoPermissions(
        "A binary file is accepted or rejected as a whole.",
      );
    }
    try {
      // Noted first: the answer fires a refresh that must not read as somebody else's change.
      this.store(uri, content, false);
      await this.proposals.edit(place, new TextDecoder().decode(content));
    } catch (error) {
      this.entries.delete(uri.toString());
      throw vscode.FileSystemError.Unavailable(problemOf(error).text);
    }
  }

  watch(): vscode.Disposable {
    return new vscode.Disposable(() => undefined); // Changes are told anyway.
  }

  readDirectory(): [string, vscode.FileType][] {
    return [];
  }

  createDirectory(): never {
    throw vscode.FileSystemError.NoPermissions("A proposal has no folders.");
  }

  delete(): never {
    throw vscode.FileSystemError.NoPermissions("Reject the hunks of a file to take it out.");
  }

  rename(): never {
    throw vscode.FileSystemError.NoPermissions("Files of a proposal keep their names.");
  }

  dispose(): void {
    vscode.Disposable.from(...this.parts).dispose();
    this.changed.dispose();
  }

  private async entry(uri: vscode.Uri): Promise<Entry> {
    const known = this.entries.get(uri.toString());
    if (known !== undefined) {
      return known;
    }
    try {
      return await this.read(uri);
    } catch (error) {
      throw vscode.FileSystemError.Unavailable(problemOf(error).text);
    }
  }

  private async read(uri: vscode.Uri): Promise<Entry> {
    const content = await this.proposals.content(uri);
    const text = content.binary ? BINARY : content.text;
    return this.store(uri, new TextEncoder().encode(text), content.binary);
  }

  /** Keep a text; its time moves on only when it is another one. */
  private store(uri: vscode.Uri, bytes: Uint8Array, binary: boolean): Entry {
    const known = this.entries.get(uri.toString());
    if (known !== undefined && Buffer.from(known.bytes).equals(bytes)) {
      return known;
    }
    const entry = { bytes, binary, mtime: Math.max(Date.now(), (known?.mtime ?? 0) + 1) };
    this.entries.set(uri.toString(), entry);
    return entry;
  }

  private async refresh(proposal: Proposal): Promise<void> {
    const events: vscode.FileChangeEvent[] = [];
    for (const file of proposal.files) {
      const uri = vscode.Uri.parse(file.proposedUri);
      const known = this.entries.get(uri.toString());
      if (known !== undefined) {
        const fresh = await this.read(uri).catch(() => known);
        if (fresh !== known) {
          events.push({ type: vscode.FileChangeType.Changed, uri });
        }
      }
    }
    if (events.length > 0) {
      this.changed.fire(events);
    }
  }
}
