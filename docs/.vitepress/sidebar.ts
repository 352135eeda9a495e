/** The order of the manual. Titles are the pages' own headings; a page that stands nowhere here fails a test. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const docs = fileURLToPath(new URL("..", import.meta.url));

/** Pages of each part by their path without ending; a `*` stands for what lies there, by title. */
export const parts: Readonly<Record<string, readonly string[]>> = {
  Start: ["start/install", "start/one-machine", "start/github", "start/kubernetes", "start/aws", "concepts"],
  Applications: ["config", "images", "baselines", "login", "linked", "stages", "gates", "e2e"],
  "Pull requests": ["comment", "commands", "chat", "dashboard", "access-control"],
  "Forges and targets": ["forges", "github", "targets", "platform"],
  Recipes: ["recipes/*"],
  Operations: ["operate", "operations", "backup", "cost", "observability", "security", "readiness"],
  References: ["reference/stackling-yaml", "reference/preview-yaml", "reference/cli", "reference/api", "api"],
  "And also": ["comparison", "faq"],
};

export interface Entry {
  readonly text: string;
  readonly link: string;
}

interface Part {
  readonly text: string;
  readonly items: readonly Entry[];
  /** It can be, and is not at first. */
  readonly collapsed: boolean;
}

/** As the theme wants it: only parts and pages that are there. */
export function sidebar(): readonly Part[] {
  return Object.entries(parts)
    .map(([text, pages]) => ({ text, items: pages.flatMap(entriesOf), collapsed: false }))
    .filter(({ items }) => items.length > 0);
}

function entriesOf(pattern: string): readonly Entry[] {
  return globSync(`${pattern}.md`, { cwd: docs })
    .map((file) => ({ text: titleOf(file), link: `/${file.slice(0, -".md".length)}` }))
    .sort((one, other) => one.text.localeCompare(other.text));
}

function titleOf(file: string): string {
  const [, title] = /^# (.+)$/m.exec(readFileSync(join(docs, file), "utf8")) ?? [];
  if (title === undefined) throw new Error(`docs/${file} has no heading`);
  return title;
}
