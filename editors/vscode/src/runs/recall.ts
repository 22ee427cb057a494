/**
 * Asking what runs there are: those of other windows, of the command line and of earlier days too.
 */

import type { RunLine } from "../protocol";
import { problemOf } from "../problems";
import { localFolders } from "../server/machine";
import type { Server } from "../server/server";
import type { RunTable } from "./table";

const RUNS_SHOWN = 50;

/** Fill the table with the runs of this window's folders. */
export async function recall(server: Server, table: RunTable): Promise<void> {
  const lines = new Map<string, RunLine>();
  for (const folder of localFolders()) {
    try {
      const params = { folder: folder.uri.toString(), limit: RUNS_SHOWN };
      const { runs } = await server.request("runs", params);
      for (const line of runs) {
        lines.set(line.run, line);
      }
    } catch (error) {
      // A folder without a repository has no runs, which is no reason to hide those of another.
      if (problemOf(error).kind !== "no_repository") {
        throw error;
      }
    }
  }
  table.replace([...lines.values()]);
}
