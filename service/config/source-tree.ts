import { isAbsolute } from "node:path";
import { runGit } from "../git.ts";

/** What detection may ask of an application's source. */
export interface SourceTree {
  /** Text of a file; undefined when there is none of that name. */
  read(path: string): Promise<string | undefined>;
  /** True when a file of code holds the text. */
  mentions(text: string): Promise<boolean>;
}

/** Files in which a mention counts: code, not prose. */
const CODE = /\.([cm]?[jt]sx?|prisma|py|rb|go|php|rs|java|ex|exs|env\.example|sh)$/;

/** The tree of one commit; nothing of the working folder is seen. Throws what `runGit` throws. */
export function commitTree(gitDir: string, commit: string): SourceTree {
  return {
    read: async (path) => {
      const { exitCode, stdout } = await runGit({
        gitDir,
        args: ["cat-file", "blob", `${commit}:${path}`],
        accept: [128],
      });
      return exitCode === 0 ? stdout.toString("utf8") : undefined;
    },
    mentions: async (text) => {
      const args = ["grep", "-l", "-z", "-I", "--fixed-strings", "-e", text, commit];
      const { stdout } = await runGit({ gitDir, args, accept: [1] });
      // Each name stands behind `<commit>:`.
      const names = stdout.toString("utf8").split("\0");
      return names.some((name) => CODE.test(name.slice(commit.length + 1)) || name.endsWith(":Procfile"));
    },
  };
}

/**
 * Files of a working folder that differ from its commit or are in none, as git lists them; empty for a
 * bare repository. What a preview leaves out. `folder` is absolute.
 */
export async function uncommittedFiles(gitDir: string, folder: string): Promise<readonly string[]> {
  if (!isAbsolute(folder) || folder === gitDir) return [];
  const args = [`--work-tree=${folder}`, "status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=normal"];
  const { stdout } = await runGit({ gitDir, args, timeoutMs: 30_000 });
  const entries = stdout.toString("utf8").split("\0").filter(Boolean);
  return entries.map((entry) => entry.slice(3));
}
