/**
 * How this window's condition is put into words: the status bar, and the list behind it.
 *
 * Pure.
 */

import type { Status } from "./protocol";

/** The status bar's text. */
export function statusText(counts: {
  active: number;
  review: number;
  server: "running" | "starting" | "down";
  engineOk: boolean;
}): string {
  if (counts.server === "down") {
    return "$(error) Greenloop";
  }
  if (counts.server === "starting") {
    return "$(loading~spin) Greenloop";
  }
  if (counts.active > 0) {
    const more = counts.review > 0 ? ` $(git-pull-request) ${counts.review}` : "";
    return `$(sync~spin) Greenloop ${counts.active}${more}`;
  }
  if (counts.review > 0) {
    return `$(git-pull-request) Greenloop: ${counts.review} to review`;
  }
  return counts.engineOk ? "$(beaker) Greenloop" : "$(warning) Greenloop";
}

/** A line of the status, and what can be done about it. */
export interface StatusLine {
  icon: string;
  label: string;
  /** What to do; "" where all is well. */
  detail: string;
  command?: string;
  args?: string[];
}

/** The state of server, repository, engine and model. */
export function statusLines(status: Status): StatusLine[] {
  const { engine, model, repository } = status;
  return [
    { icon: "check", label: `Server: Greenloop ${status.server}`, detail: "" },
    repository === ""
      ? {
          icon: "warning",
          label: "Repository: none",
          detail: "Open a folder of a git repository, or make one: git init",
          command: "workbench.action.files.openFolder",
        }
      : { icon: "check", label: `Repository: ${repository}`, detail: "" },
    {
      icon: engine.ok ? "check" : "error",
      label: `Engine: ${engine.text.replace(/^engine: /, "")}`,
      detail: engine.ok ? "" : engine.remedy,
    },
    {
      icon: model.name === "" ? "circle-slash" : "check",
      label: `Model: ${model.name === "" ? "none is set" : modelText(model)}`,
      detail: model.remedy,
      command: "greenloop.openSettings",
      args: ["greenloop.model"],
    },
    {
      icon: "settings",
      label: `Strategy: ${status.strategy}`,
      detail: "",
      command: "greenloop.openSettings",
      args: ["greenloop.strategy"],
    },
  ];
}

function modelText(model: Status["model"]): string {
  return model.text === "" ? `${model.name} at ${model.endpoint}` : model.text;
}
