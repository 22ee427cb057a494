// Holds src/protocol.ts to the normative page: every interface there, word for word.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";

const PAGE = "../../docs/protocol.md";
const OURS = readFileSync("src/protocol.ts", "utf8");

/** Interfaces by name, without comments, spaces and the marks a formatter adds. */
function interfaces(source: string): Map<string, string> {
  const bare = source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/\/\/[^\n]*/g, "");
  const found = new Map<string, string>();
  for (const match of bare.matchAll(/interface (\w+)(?: extends (\w+))? (\{[\s\S]*?\n\})/g)) {
    const body = (match[3] ?? "")
      .replace(/\s+/g, "")
      .replace(/([:{[(])\|/g, "$1")
      .replace(/;\}/g, "}");
    found.set(match[1] ?? "", `${match[2] ?? ""}${body}`);
  }
  return found;
}

const skip = existsSync(PAGE) ? false : "the page is not here: a package of the extension alone";

test("every interface of the page is ours, word for word", { skip }, () => {
  const page = readFileSync(PAGE, "utf8");
  const theirs = interfaces(
    [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map((each) => each[1]).join("\n"),
  );
  const ours = interfaces(OURS);
  assert.ok(theirs.size > 15);
  for (const [name, body] of theirs) {
    assert.equal(ours.get(name), body, `interface ${name}`);
  }
});

test("every request and notification of the page is ours", { skip }, () => {
  const page = readFileSync(PAGE, "utf8");
  const named = [...page.matchAll(/^\| `greenloop\/([\w/]+)` \|/gm)].map((each) => each[1] ?? "");
  // Told by us, or for editors that cannot show a diff themselves.
  const others = ["trust", "diff"];
  const missing = named.filter(
    (name) => !others.includes(name) && !new RegExp(`^  "?${name}"?: `, "m").test(OURS),
  );
  assert.deepEqual(missing, []);
});
