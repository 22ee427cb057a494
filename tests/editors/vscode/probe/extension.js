// An extension for tests only: answers, on loopback, what the window's extension host knows.
//
// It leaves its address in the folder that WORKBENCH_PROBES names. What a user does is done by
// mouse and keyboard; this is for looking, and for getting to a place of a file.

const http = require("node:http");
const fs = require("node:fs");
const path = require("node:path");
const vscode = require("vscode");

const plain = (value) => JSON.parse(JSON.stringify(value ?? null));
const at = (name) => vscode.Uri.file(name);
const open = (uri) => vscode.workspace.textDocuments.find((each) => each.uri.toString() === uri);

const answers = {
  command: async ({ name, args = [] }) => plain(await vscode.commands.executeCommand(name, ...args)),

  commands: async ({ prefix }) =>
    (await vscode.commands.getCommands(true)).filter((each) => each.startsWith(prefix)),

  document: async ({ uri }) => {
    const found = open(uri);
    if (found === undefined) return null;
    return { text: found.getText(), dirty: found.isDirty, version: found.version, eol: found.eol };
  },

  documents: async () => vscode.workspace.textDocuments.map((each) => each.uri.toString()),

  show: async ({ file, line = 0, character = 0, lineTo = line, characterTo = character }) => {
    const selection = new vscode.Range(line, character, lineTo, characterTo);
    const editor = await vscode.window.showTextDocument(at(file), { preview: false, selection });
    editor.revealRange(selection, vscode.TextEditorRevealType.InCenter);
  },

  replace: async ({ uri, from, to }) => {
    const document = open(uri);
    const start = document.getText().indexOf(from);
    if (start < 0) throw new Error(`no such text in ${uri}`);
    const edit = new vscode.WorkspaceEdit();
    const range = new vscode.Range(
      document.positionAt(start),
      document.positionAt(start + from.length),
    );
    edit.replace(document.uri, range, to);
    return vscode.workspace.applyEdit(edit);
  },

  set: async ({ name, value }) =>
    vscode.workspace.getConfiguration().update(name, value, vscode.ConfigurationTarget.Global),

  save: async ({ uri }) => open(uri).save(),

  lenses: async ({ uri }) => {
    const lenses = await vscode.commands.executeCommand(
      "vscode.executeCodeLensProvider",
      vscode.Uri.parse(uri),
      100,
    );
    return lenses.map(({ range, command }) => ({
      line: range.start.line,
      title: command?.title ?? "",
      command: command?.command ?? "",
    }));
  },

  actions: async ({ file, line, character = 0, lineTo = line, characterTo = character }) => {
    const actions = await vscode.commands.executeCommand(
      "vscode.executeCodeActionProvider",
      at(file),
      new vscode.Range(line, character, lineTo, characterTo),
    );
    return actions.map(({ title, kind, command }) => ({
      title,
      kind: kind?.value ?? "",
      command: command?.command ?? "",
    }));
  },

  diagnostics: async ({ file }) =>
    vscode.languages.getDiagnostics(at(file)).map(({ message, source, range }) => ({
      message,
      source: source ?? "",
      line: range.start.line,
    })),

  tabs: async () =>
    vscode.window.tabGroups.all.flatMap((group) =>
      group.tabs.map(({ label, isActive, isDirty }) => ({ label, isActive, isDirty })),
    ),

  active: async () => {
    const editor = vscode.window.activeTextEditor;
    if (editor === undefined) return null;
    return { uri: editor.document.uri.toString(), line: editor.selection.active.line };
  },

  closeAll: async () => {
    for (const group of vscode.window.tabGroups.all) await vscode.window.tabGroups.close(group);
  },
};

function activate(context) {
  const folder = process.env.WORKBENCH_PROBES;
  if (!folder) return;
  const server = http.createServer(async (request, response) => {
    let text = "";
    for await (const piece of request) text += piece;
    let answer;
    try {
      const { ask, ...rest } = JSON.parse(text);
      answer = { value: (await answers[ask](rest)) ?? null };
    } catch (error) {
      answer = { error: String(error?.message ?? error) };
    }
    response.end(JSON.stringify(answer));
  });
  server.listen(0, "127.0.0.1", () => {
    const file = path.join(folder, `${process.pid}.json`);
    const folders = (vscode.workspace.workspaceFolders ?? []).map((each) => each.uri.fsPath);
    fs.writeFileSync(`${file}.new`, JSON.stringify({ port: server.address().port, folders }));
    fs.renameSync(`${file}.new`, file);
  });
  context.subscriptions.push({ dispose: () => server.close() });
}

module.exports = { activate };
