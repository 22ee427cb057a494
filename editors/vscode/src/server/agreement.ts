/**
 * Whether the server that answered is one this extension can talk to.
 */

import { PROTOCOL } from "../protocol";

/** What `initialize` said about itself; "" where it said nothing. */
export interface Introduction {
  version: string;
  protocol: number | undefined;
}

/** Read an answer of `initialize`, whatever it holds. */
export function introduction(answer: unknown): Introduction {
  const info = field(answer, "serverInfo");
  const version = field(info, "version");
  const experimental = field(field(answer, "capabilities"), "experimental");
  const protocol = field(field(experimental, "greenloop"), "protocol");
  return {
    version: typeof version === "string" ? version : "",
    protocol: typeof protocol === "number" ? protocol : undefined,
  };
}

/** Why the two do not fit, and what to do; "" where they do. */
export function mismatch(server: Introduction, command: string): string {
  if (server.protocol === PROTOCOL) {
    return "";
  }
  if (server.protocol === undefined) {
    return (
      `${command} does not answer as a Greenloop server does. ` +
      "Point greenloop.server.path at greenloop-lsp."
    );
  }
  const theirs = `The server ${server.version} (${command}) speaks protocol ${server.protocol}`;
  return server.protocol > PROTOCOL
    ? `${theirs}, this extension ${PROTOCOL}. Update the extension.`
    : `${theirs}, this extension needs ${PROTOCOL}. Update the server: uv tool upgrade greenloop`;
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as Record<string, unknown>)[name]
    : undefined;
}
