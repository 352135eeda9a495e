/** The pages that people read: what is in the repository's root, in `docs/` and beside the examples. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import GithubSlugger from "github-slugger";

export const root = fileURLToPath(new URL("../../..", import.meta.url));

export const pages: readonly string[] = ["*.md", "docs/**/*.md", "examples/*/*.md"].flatMap((pattern) =>
  globSync(pattern, { cwd: root, exclude: (path) => path === "node_modules" }).sort(),
);

export function textOf(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

export interface Block {
  readonly file: string;
  /** From 1, of its fence. */
  readonly line: number;
  /** Of the fence; "" where it names none. */
  readonly language: string;
  readonly text: string;
}

/** Fenced blocks of a page, without the indentation of a list that they stand in. */
export function blocksOf(file: string): readonly Block[] {
  const text = textOf(file);
  return [...text.matchAll(/^( *)```([^\n`]*)\n([\s\S]*?)^ *```$/gm)].map((match) => {
    const [, indent = "", language = "", inside = ""] = match;
    const line = text.slice(0, match.index).split("\n").length;
    return { file, line, language: language.trim(), text: inside.replaceAll(new RegExp(`^${indent}`, "gm"), "") };
  });
}

/** What a link to this page may name behind its `#`: headings as the forge does it, and anchors of their own. */
export function anchorsOf(file: string): ReadonlySet<string> {
  const slugger = new GithubSlugger();
  const text = textOf(file).replaceAll(/^( *)```[\s\S]*?^ *```$/gm, "");
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => slugger.slug(plain(heading)));
  const own = [...text.matchAll(/<a id="([^"]+)">/g)].map(([, id = ""]) => id);
  return new Set([...headings, ...own]);
}

const plain = (heading: string): string => heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll(/[`*]/g, "");
