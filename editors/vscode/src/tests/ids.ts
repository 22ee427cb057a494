/**
 * Names of tests: which file one is in, and which plain test stands for a parametrised one.
 *
 * Pure.
 */

/** The file a test id begins with. */
export function fileOf(id: string): string {
  const cut = id.indexOf("::");
  if (cut >= 0) {
    return id.slice(0, cut);
  }
  // `path:line`, as tests of other runners are named.
  return id.replace(/:\d+$/, "");
}

/** The id without its parameters; undefined where it has none. */
export function plainId(id: string): string | undefined {
  const cut = id.indexOf("[", Math.max(0, id.lastIndexOf("/")));
  return cut > 0 && id.endsWith("]") ? id.slice(0, cut) : undefined;
}

/** The last part of an id: what a list shows. */
export function nameOf(id: string): string {
  const plain = plainId(id);
  if (plain !== undefined) {
    return id.slice(plain.length);
  }
  const cut = id.lastIndexOf("::");
  return cut < 0 ? id : id.slice(cut + 2);
}

/** Parent folders of a path, outermost first: `a/b/c.py` gives `a`, `a/b`. */
export function foldersOf(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}
