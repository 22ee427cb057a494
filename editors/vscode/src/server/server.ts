/**
 * The language server as this window sees it: found, started, watched, restarted.
 *
 * Owns the process and the connection. Knows nothing of runs, reviews or tests: others ask by
 * `request` and listen by `on`.
 */

import type { ChildProcess } from "node:child_process";
import * as vscode from "vscode";
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  type LanguageClientOptions,
  type Middleware,
  RevealOutputChannelOn,
} from "vscode-languageclient/node";

import { gone, missing, type Problem } from "../problems";
import type { Notifications, Options, Requests } from "../protocol";
import type { Trace } from "../trace";
import { introduction, mismatch } from "./agreement";
import { findServer } from "./lookup";
import { thisMachine } from "./machine";
import { endOf, forward, spawned } from "./program";

export type Condition =
  | { kind: "stopped"; text: string }
  | { kind: "starting"; text: string }
  | { kind: "running"; text: string; version: string; command: string }
  | { kind: "missing"; text: string; isSetting: boolean; looked: readonly string[] }
  | { kind: "failed"; text: string };

/** The server cannot be asked: it is not there, or went before it answered. */
export class ServerGone extends Error {
  constructor(readonly problem: Problem) {
    super(problem.text);
  }
}

const NOTIFICATIONS: readonly (keyof Notifications)[] = [
  "run/changed",
  "run/log",
  "proposal/changed",
  "tests/changed",
];
const RESTARTS = 4;
const RESTARTS_WITHIN_MS = 3 * 60_000;
const STOP_MS = 4_000;

export class Server implements vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<Condition>();
  private readonly told = new vscode.EventEmitter<{ name: string; params: unknown }>();
  private current: Condition = { kind: "stopped", text: "It was not started yet." };
  private client: LanguageClient | undefined;
  private process: ChildProcess | undefined;
  private ends: number[] = [];
  private starting: Promise<void> | undefined;
  private isStopping = false;

  /** The condition is a new one. */
  readonly onCondition = this.changed.event;

  constructor(
    private readonly log: vscode.LogOutputChannel,
    private readonly trace: Trace,
    private readonly middleware: Middleware,
    private readonly options: () => Options,
  ) {}

  get condition(): Condition {
    return this.current;
  }

  /** Why it cannot be asked, and what can be done. */
  problem(): Problem {
    return this.current.kind === "missing"
      ? missing(this.current.text, this.current.isSetting)
      : gone(this.current.text);
  }

  /** The connection, for what plain LSP offers; undefined while there is none. */
  get language(): LanguageClient | undefined {
    return this.current.kind === "running" ? this.client : undefined;
  }

  /** Start it unless it runs; a start that is under way is waited for. */
  async start(): Promise<void> {
    if (this.current.kind === "running") {
      return;
    }
    this.starting ??= this.launch().finally(() => {
      this.starting = undefined;
    });
    await this.starting;
  }

  async restart(): Promise<void> {
    this.ends = [];
    await this.stop();
    await this.start();
  }

  /** End it in order; one that does not end in time is killed. */
  async stop(): Promise<void> {
    await this.starting?.catch(() => undefined);
    await this.end();
  }

  /**
   * Ask the server. It is waited for while it starts.
   *
   * Throws ServerGone, or what the server answered, as `problemOf` takes it.
   */
  async request<M extends keyof Requests>(
    name: M,
    params: Requests[M]["params"],
  ): Promise<Requests[M]["result"]> {
    await this.starting?.catch(() => undefined);
    const client = this.language;
    if (client === undefined) {
      throw new ServerGone(this.problem());
    }
    const method = `greenloop/${name}`;
    this.trace.write("request", { method, params });
    try {
      const result = await client.sendRequest<Requests[M]["result"]>(method, params);
      this.trace.write("answer", { method, ok: true });
      return result;
    } catch (error) {
      const { code, message, data } = error as { code?: number; message?: string; data?: unknown };
      this.trace.write("answer", { method, ok: false, error: { code, message, data } });
      if (this.client !== client) {
        throw new ServerGone(gone("It ended before it answered."));
      }
      throw error;
    }
  }

  /** Tell the server; without one there is nobody to tell. */
  notify(name: string, params: object): void {
    void this.language?.sendNotification(`greenloop/${name}`, params).catch(() => undefined);
  }

  on<N extends keyof Notifications>(
    name: N,
    take: (params: Notifications[N]) => void,
  ): vscode.Disposable {
    return this.told.event((each) => {
      if (each.name === name) {
        take(each.params as Notifications[N]);
      }
    });
  }

  dispose(): void {
    void this.stop();
    this.changed.dispose();
    this.told.dispose();
  }

  private async end(): Promise<void> {
    const { client, process } = this;
    this.client = undefined;
    this.process = undefined;
    if (client === undefined) {
      return;
    }
    this.isStopping = true;
    this.set({ kind: "stopped", text: "It was stopped." });
    try {
      await client.dispose(STOP_MS);
    } catch (error) {
      this.log.warn(`the server did not stop in order: ${String(error)}`);
    } finally {
      if (process?.exitCode === null && process.signalCode === null) {
        process.kill("SIGTERM");
      }
      this.isStopping = false;
    }
  }

  private async launch(): Promise<void> {
    this.set({ kind: "starting", text: "It is starting." });
    const machine = await thisMachine();
    const found = findServer(machine);
    if (found.kind === "wrong-setting") {
      const text = `greenloop.server.path is ${found.path}: ${found.why}.`;
      this.set({ kind: "missing", text, isSetting: true, looked: [found.path] });
      return;
    }
    if (found.kind === "missing") {
      const text = machine.trusted
        ? "Greenloop's server, greenloop-lsp, was not found on this machine."
        : "Greenloop's server was not found; folders of this workspace are not looked at, as it is not trusted.";
      this.set({ kind: "missing", text, isSetting: false, looked: found.looked });
      return;
    }
    this.log.info(`starting ${found.command} (${found.from})`);
    this.trace.write("server", { state: "starting", command: found.command, from: found.from });
    await this.connect(found.command);
  }

  private async connect(command: string): Promise<void> {
    const client: LanguageClient = new LanguageClient(
      "greenloop",
      "Greenloop",
      async () => {
        const child = await spawned(command, this.log);
        this.process = child;
        return child;
      },
      this.clientOptions(() => {
        this.ended(client);
      }),
    );
    this.client = client;
    for (const name of NOTIFICATIONS) {
      client.onNotification(`greenloop/${name}`, (params: unknown) => {
        this.trace.write("notification", { method: `greenloop/${name}`, params });
        this.told.fire({ name, params });
      });
    }
    try {
      await client.start();
    } catch (error) {
      const child = this.process;
      const why = child === undefined ? messageOf(error) : await endOf(child);
      this.client = undefined;
      this.process = undefined;
      this.set({ kind: "failed", text: `${command} could not be started. ${why}` });
      return;
    }
    const server = introduction(client.initializeResult);
    const misfit = mismatch(server, command);
    if (misfit !== "") {
      await this.end();
      this.set({ kind: "failed", text: misfit });
      return;
    }
    this.set({
      kind: "running",
      text: `Greenloop ${server.version}, ${command}`,
      version: server.version,
      command,
    });
  }

  private clientOptions(ended: () => void): LanguageClientOptions {
    return {
      // Other schemes are no files that a run could take in: diffs, settings, our own proposals.
      documentSelector: [{ scheme: "file" }],
      outputChannel: this.log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      initializationOptions: this.options,
      initializationFailedHandler: () => false,
      middleware: this.middleware,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue }),
        closed: () => {
          ended();
          return { action: CloseAction.DoNotRestart, handled: true };
        },
      },
      stdioOptions: { stdout: forward, stderr: forward },
    };
  }

  /** The connection was closed without being asked to: start again, unless that happens too often. */
  private ended(client: LanguageClient): void {
    if (this.isStopping || this.client !== client) {
      return;
    }
    const wasRunning = this.current.kind === "running";
    this.client = undefined;
    this.process = undefined;
    if (!wasRunning) {
      return; // `connect` tells of a start that failed.
    }
    const now = Date.now();
    this.ends = [...this.ends.filter((each) => now - each < RESTARTS_WITHIN_MS), now];
    if (this.ends.length > RESTARTS) {
      const text = `It ended ${this.ends.length} times within three minutes and is not started again.`;
      this.set({ kind: "failed", text });
      return;
    }
    this.set({ kind: "stopped", text: "It ended and is started again." });
    setTimeout(() => void this.start(), 250 * 2 ** (this.ends.length - 1));
  }

  private set(condition: Condition): void {
    this.current = condition;
    const { kind, ...fields } = condition;
    this.log.info(`${kind}: ${condition.text}`);
    this.trace.write("server", { state: kind, ...fields });
    this.changed.fire(condition);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
