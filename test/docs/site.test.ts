/** The manual as a site: built, and every link of it followed. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { linksOutside, type Token } from "../../docs/.vitepress/links.ts";
import { parts, sidebar } from "../../docs/.vitepress/sidebar.ts";
import { buildManual } from "../../scripts/manual.ts";

const docs = fileURLToPath(new URL("../../docs", import.meta.url));
const pages = globSync("**/*.md", { cwd: docs, exclude: (name) => name === "node_modules" });

describe("the sidebar of the manual", () => {
  it("leads to every page once", () => {
    const links = sidebar().flatMap(({ items }) => items.map(({ link }) => `${link.slice(1)}.md`));
    assert.deepEqual([...links, "index.md"].sort(), [...pages].sort());
  });

  it("has a name for each part", () => {
    assert.ok(Object.keys(parts).length > 5);
  });
});

describe("a link out of docs/", () => {
  const settled = (href: string, repository?: string) => {
    const attributes = new Map([["href", href]]);
    const token = (type: string): Token => ({
      type,
      children: null,
      attrGet: (name) => attributes.get(name) ?? null,
      attrSet: (name, value) => void attributes.set(name, value),
    });
    const children = [token("link_open"), token("text"), token("link_close")];
    const paragraph: Token = { ...token("inline"), children };
    linksOutside(repository)({
      core: {
        ruler: { push: (_name, rule) => rule({ env: { relativePath: "start/github.md" }, tokens: [paragraph] }) },
      },
    });
    return { types: children.map(({ type }) => type), href: attributes.get("href") };
  };

  it("leads to the forge, where that is known", () => {
    const { types, href } = settled("../../examples/shop", "https://git.acme.dev/acme/stackling");
    assert.deepEqual(types, ["link_open", "text", "link_close"]);
    assert.equal(href, "https://git.acme.dev/acme/stackling/blob/main/examples/shop");
  });

  it("is plain text where it is not", () => {
    assert.deepEqual(settled("../../README.md#limits").types, ["text"]);
  });

  it("is left alone when it leads to a page or to another host", () => {
    for (const href of ["../forges.md#github", "aws.md", "#top", "https://acme.dev", "mailto:ada@acme.dev"]) {
      const found = settled(href);
      assert.deepEqual([found.types.length, found.href], [3, href]);
    }
  });
});

describe("the manual's site", () => {
  let folder: string;
  let html: ReadonlyMap<string, string>;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "stackling-manual-"));
    await buildManual({ folder });
    html = new Map(
      globSync("**/*.html", { cwd: folder }).map((file) => [file, readFileSync(join(folder, file), "utf8")]),
    );
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("has every page", () => {
    for (const page of pages) assert.ok(html.has(page.replace(/\.md$/, ".html")), page);
  });

  it("leads to pages, headings and files that are there", () => {
    const files = new Set(globSync("**/*", { cwd: folder }));
    const dead = [...html].flatMap(([file, text]) =>
      linksOf(text).flatMap((link) => {
        const [path = "", heading] = link.split("#");
        const target =
          path === "" ? file : posix.join(path.startsWith("/") ? "" : dirname(file), path.replace(/^\//, ""));
        const page = target === "." || target === "" ? "index.html" : target;
        if (!files.has(page)) return [`${file}: ${link}`];
        return heading && !idsOf(html.get(page) ?? "").has(decodeURIComponent(heading)) ? [`${file}: ${link}`] : [];
      }),
    );
    assert.deepEqual(dead, []);
  });

  it("asks no other host for anything", () => {
    for (const [file, text] of html) {
      const asked = [
        ...text.matchAll(/<(?:script|link|img|iframe|source)\b[^>]*?(?:src|href)="(https?:[^"]+|\/\/[^"]+)"/g),
      ];
      assert.deepEqual(
        asked.map(([, url]) => url),
        [],
        file,
      );
    }
    const styles = globSync("**/*.css", { cwd: folder }).map((file) => readFileSync(join(folder, file), "utf8"));
    assert.ok(styles.length > 0);
    for (const style of styles) assert.doesNotMatch(style, /url\(["']?(?:https?:)?\/\//);
  });

  it("can be searched without another host", () => {
    assert.ok(globSync("assets/chunks/@localSearchIndex*.js", { cwd: folder }).length > 0);
  });

  it("shows no mark of what scripts make", () => {
    for (const [file, text] of html) {
      assert.doesNotMatch(text, /made by scripts/, file);
    }
  });
});

/** Within the site; what an `<a>` or a picture names. */
function linksOf(text: string): readonly string[] {
  return [...text.matchAll(/<(?:a|img)\b[^>]*?\s(?:href|src)="([^"]+)"/g)]
    .map(([, link = ""]) => link.replaceAll("&amp;", "&"))
    .filter((link) => !/^[a-z]+:/.test(link));
}

function idsOf(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(/\sid="([^"]+)"/g)].map(([, id = ""]) => id));
}
