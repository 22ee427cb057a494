/**
 * What to say when the server refuses or fails: one line, and what can be done about it.
 *
 * Pure. Shows nothing and runs nothing.
 */

import type { ErrorData } from "./protocol";

/** How the server is installed by whoever has uv. */
export const INSTALL = "uv tool install greenloop";

export interface Remedy {
  label: string;
  command: string;
  args?: readonly unknown[];
}

export interface Problem {
  text: string;
  remedies: Remedy[];
  /** What the server said it is; "" where it did not. */
  kind: ErrorData["kind"] | "" | "cancelled" | "gone";
}

const CANCELLED = -32800;

/** Put any failure of a request into words. */
export function problemOf(error: unknown): Problem {
  const code = property(error, "code");
  const data = property(error, "data");
  const kind = property(data, "kind");
  const remedy = property(data, "remedy");
  const message = sentence(firstLine(property(error, "message")));
  if (code === CANCELLED) {
    return { text: message, remedies: [], kind: "cancelled" };
  }
  if (typeof kind !== "string") {
    return { text: message, remedies: [SHOW_LOG], kind: "" };
  }
  const next = typeof remedy === "string" && remedy !== "" ? ` ${sentence(remedy)}` : "";
  const said = kind as ErrorData["kind"];
  return { text: message + next, remedies: remediesFor(said), kind: said };
}

/** The same for a server that is not there (any more). */
export function gone(why: string): Problem {
  return {
    text: `The Greenloop server is not running. ${sentence(why)}`.trim(),
    remedies: [{ label: "Restart Server", command: "greenloop.restartServer" }, SHOW_LOG],
    kind: "gone",
  };
}

/** The same for a server that this machine does not have, or not where the setting says. */
export function missing(why: string, isSetting: boolean): Problem {
  const settings: Remedy = {
    label: "Open Settings",
    command: "greenloop.openSettings",
    args: ["greenloop.server.path"],
  };
  const again: Remedy = { label: "Try Again", command: "greenloop.restartServer" };
  const install: Remedy = {
    label: "Copy Install Command",
    command: "greenloop.copyInstallCommand",
  };
  return isSetting
    ? { text: sentence(why), remedies: [settings, again], kind: "gone" }
    : {
        text: `${sentence(why)} Install it: ${INSTALL}`,
        remedies: [install, settings, again],
        kind: "gone",
      };
}

const SHOW_LOG: Remedy = { label: "Show Server Log", command: "greenloop.showServerLog" };

function remediesFor(kind: ErrorData["kind"]): Remedy[] {
  switch (kind) {
    case "untrusted":
      return [{ label: "Manage Trust", command: "workbench.trust.manage" }];
    case "no_repository":
      return [
        { label: "Open Folder", command: "workbench.action.files.openFolder" },
        { label: "Initialize Repository", command: "git.init" },
      ];
    case "no_engine":
      return [{ label: "Show Status", command: "greenloop.showStatus" }];
    case "no_model":
      return [
        { label: "Open Settings", command: "greenloop.openSettings", args: ["greenloop.model"] },
        { label: "How to Set One", command: "greenloop.openWalkthrough" },
      ];
    case "not_ready":
    case "failed":
      return [SHOW_LOG];
    case "bad_request":
    case "not_found":
    case "stale":
      return [];
  }
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function firstLine(value: unknown): string {
  const text = typeof value === "string" ? value : "The request failed";
  return text.split(/\r?\n/, 1)[0] ?? "";
}

/** The text as a sentence: it begins with a capital, unless that is a name, and ends with a stop. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  const begun = /^[a-z]+ /.test(trimmed)
    ? trimmed.charAt(0).toUpperCase() + trimmed.slice(1)
    : trimmed;
  return begun === "" || /[.!?:]$/.test(begun) ? begun : `${begun}.`;
}
