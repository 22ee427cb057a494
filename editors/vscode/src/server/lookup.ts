/**
 * Where the server program is: the first place of a fixed order that has it.
 *
 * Pure: the caller says what the machine looks like. Starts nothing, asks nobody.
 */

/** What the search may look at. */
export interface Machine {
  /** `greenloop.server.path` as the user wrote it; empty: not set. */
  setting: string;
  /** Files of the workspace may be run. */
  trusted: boolean;
  /** Python interpreters that are selected for the workspace. */
  interpreters: readonly string[];
  /** Workspace folders. */
  folders: readonly string[];
  /** Entries of PATH. */
  path: readonly string[];
  home: string;
  windows: boolean;
  isProgram(file: string): boolean;
}

export type Lookup =
  | { kind: "found"; command: string; from: string }
  | { kind: "wrong-setting"; path: string; why: string }
  | { kind: "missing"; looked: string[] };

/** Look in order: the setting, the selected interpreter, `.venv`, PATH, folders of uv and pipx. */
export function findServer(machine: Machine): Lookup {
  if (machine.setting.trim() !== "") {
    return fromSetting(machine);
  }
  const looked: string[] = [];
  for (const [file, from] of candidates(machine)) {
    if (machine.isProgram(file)) {
      return { kind: "found", command: file, from };
    }
    looked.push(file);
  }
  return { kind: "missing", looked };
}

function fromSetting(machine: Machine): Lookup {
  const given = machine.setting.trim();
  const path = given.replace(/^(~|\$\{userHome\})(?=$|[\\/])/, machine.home);
  const isAbsolute = machine.windows ? /^([A-Za-z]:[\\/]|\\\\)/.test(path) : path.startsWith("/");
  if (!isAbsolute) {
    return { kind: "wrong-setting", path: given, why: "it is not an absolute path" };
  }
  if (!machine.isProgram(path)) {
    return { kind: "wrong-setting", path, why: "there is no program of this name" };
  }
  return { kind: "found", command: path, from: "the setting greenloop.server.path" };
}

function* candidates(machine: Machine): Generator<[string, string]> {
  const slash = machine.windows ? "\\" : "/";
  const program = machine.windows ? "greenloop-lsp.exe" : "greenloop-lsp";
  const scripts = machine.windows ? "Scripts" : "bin";
  if (machine.trusted) {
    for (const interpreter of machine.interpreters) {
      yield [beside(interpreter, program), "the selected Python interpreter"];
    }
    for (const folder of machine.folders) {
      yield [[folder, ".venv", scripts, program].join(slash), ".venv of the workspace"];
    }
  }
  for (const folder of machine.path) {
    // A relative entry of PATH would be a file of whatever folder is the current one.
    const isAbsolute = machine.windows
      ? /^([A-Za-z]:[\\/]|\\\\)/.test(folder)
      : folder.startsWith("/");
    if (isAbsolute && (machine.trusted || !isOfWorkspace(folder, machine))) {
      yield [[folder.replace(/[\\/]+$/, ""), program].join(slash), "PATH"];
    }
  }
  yield [[machine.home, ".local", "bin", program].join(slash), "~/.local/bin"];
  if (!machine.windows) {
    yield [`${machine.home}/.local/share/uv/tools/greenloop/bin/${program}`, "uv's tools"];
    yield [`${machine.home}/.local/share/pipx/venvs/greenloop/bin/${program}`, "pipx"];
  }
}

/**
 * An activated environment, or direnv, puts folders of a workspace on PATH. What the whole home lies
 * in says nothing about who put a program there.
 */
function isOfWorkspace(folder: string, machine: Machine): boolean {
  const parts = (path: string): string => `${path.replace(/[\\/]+/g, "/").replace(/\/$/, "")}/`;
  const isIn = (path: string, root: string): boolean => parts(path).startsWith(parts(root));
  return machine.folders.some((root) => isIn(folder, root) && !isIn(machine.home, root));
}

function beside(file: string, name: string): string {
  const end = Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\"));
  return end < 0 ? name : file.slice(0, end + 1) + name;
}
