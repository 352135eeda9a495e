import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { pino } from "pino";
import { ConfigError } from "../../components/errors.ts";
import { previewFacts } from "../../service/comment/facts.ts";
import { VOCABULARY, vocabularyFault } from "../../service/comment/vocabulary.ts";
import { readTemplate } from "../../service/comment-template.ts";
import { createComments } from "../../service/comments.ts";
import { parseOperator } from "../../service/config/operator.ts";
import type { Preview } from "../../service/status.ts";
import { aPreview } from "../support/previews.ts";

const URLS = { web: "https://pr-42-shop.preview.acme.dev" };
const preview = aPreview({ urls: URLS, title: "[Approve](https://evil.example) @everyone <b>" });

async function made(source: string, of: Preview = preview): Promise<string> {
  const read = await readTemplate(source);
  assert.ok("render" in read, JSON.stringify(read));
  return read.render(previewFacts(of, { homeUrl: "https://preview.acme.dev" }));
}

async function faultsOf(source: string): Promise<readonly string[]> {
  const read = await readTemplate(source);
  assert.ok("faults" in read, "it has no fault");
  return read.faults.map(({ line, message }) => `${line}: ${message}`);
}

describe("a template of the comment", () => {
  it("says what the operator likes about the preview, behind the marker by which it is found again", async () => {
    const source = [
      "## {{ sign }} {{ key }}{% if url %}: {{ url }}{% endif %}",
      "{% for service in services %}{{ service.name }} is {{ service.state }}.{% endfor %}",
      "{{ markdown.table | raw }}",
    ].join("\n");
    const comment = await made(source);
    assert.ok(comment.startsWith(`<!-- stackling:shop#42 -->\n## ✅ shop\\#42: ${URLS.web}\n`), comment);
    assert.match(comment, /^web is up\.$/m);
    assert.match(comment, /^\| Database branch|^\| Commit \| /m);
  });

  it("lets nothing of a stranger's be Markdown, mention anybody or become HTML", async () => {
    const comment = (await made("{{ title }} {{ title | code }}")).replace(/`[^`]*`/g, "code");
    assert.match(comment, / code$/m);
    assert.doesNotMatch(comment, /(?<!\\)\[Approve|@everyone|(?<!\\)<b|https:\/\//);
  });

  it("leads where the preview's own addresses lead, and nowhere that a stranger wrote", async () => {
    const comment = await made("[{{ host }}]({{ url }}) {{ pageUrl }} {{ commit.url }}");
    assert.ok(
      comment.includes(`[pr-42-shop.preview.acme.dev](${URLS.web}) https://preview.acme.dev/previews/shop%2342`),
    );
    const { commitUrl = "" } = preview.pullRequest ?? {};
    assert.ok(comment.includes(commitUrl.split("{sha}")[0] ?? "?"));
    const other = aPreview({ urls: URLS, title: "https://evil.example" });
    assert.doesNotMatch(await made("{{ title }}", other), /https:\/\//);
  });

  it("is told with the line what it names that there is not, and what cannot be read", async () => {
    assert.deepEqual(await faultsOf("fine\n{{ urll }}\n{% if commit.shortt %}x{% endif %}"), [
      '2: there is no "urll"; did you mean "url"?',
      '3: "commit" has no "shortt"; did you mean "short"?',
    ]);
    assert.match((await faultsOf("\n\n{% for x in services %}"))[0] ?? "", /^3: /);
    assert.match((await faultsOf("{{ key | shout }}"))[0] ?? "", /^1: .*shout/);
  });

  it("reads no file and runs no code", async () => {
    for (const tag of ["include '/etc/passwd'", "render '/etc/passwd'", "layout '/etc/passwd'"]) {
      assert.match((await faultsOf(`{% ${tag} %}`))[0] ?? "", /^1: tag/);
    }
    assert.match((await faultsOf("{{ key.constructor }}"))[0] ?? "", /"key" has no "constructor"/);
    // Behind a name that the template made itself.
    assert.doesNotMatch(await made("x{% assign a = services %}{{ a.constructor.name }}"), /function|Array/);
  });
});

describe("what templates can name", () => {
  it("is everything that the facts hold", () => {
    const users = Array.from({ length: 7 }, (_, index) => ({ name: `u${index}`, title: `User ${index}` }));
    const { live } = preview.status;
    assert.ok(live);
    const rich: Preview = {
      ...preview,
      status: {
        ...preview.status,
        outputs: { database: "shop_pr_42" },
        live: { ...live, login: { path: "/", users } },
      },
    };
    for (const facts of [previewFacts(rich, { homeUrl: "https://preview.acme.dev" }), previewFacts(aPreview())]) {
      for (const [name, value] of Object.entries(facts)) {
        assert.equal(vocabularyFault([name]), undefined, name);
        const item: unknown = Array.isArray(value) ? value[0] : value;
        if (typeof item !== "object" || item === null) continue;
        for (const part of Object.keys(item)) assert.equal(vocabularyFault([name, part]), undefined, `${name}.${part}`);
      }
    }
    assert.ok(VOCABULARY.markdown?.holds?.includes("table"));
  });
});

describe("the operator's template in the config", () => {
  let directory = "";
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "stackling-template-"));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  const parse = (template: string) =>
    parseOperator(`repositories: [{path: ./shop}]\ncommentTemplate: ${template}\n`, {
      file: "stackling.yaml",
      directory,
      dataDir: directory,
    });

  it("is read from beside the file, and its faults are the config's", async () => {
    await writeFile(join(directory, "good.liquid"), "{{ key }}");
    assert.equal((await parse("good.liquid")).commentTemplate?.text, "{{ key }}");
    await writeFile(join(directory, "bad.liquid"), "\n{{ hots }}\n");
    const faultsIn = async (template: string) => {
      const error = await parse(template).then(
        () => assert.fail("it was taken"),
        (thrown: unknown) => thrown,
      );
      assert.ok(error instanceof ConfigError);
      return error.message;
    };
    assert.match(await faultsIn("bad.liquid"), /:2: "bad\.liquid", line 2: there is no "hots"; did you mean "host"\?/);
    assert.match(await faultsIn("none.liquid"), /none\.liquid" cannot be read \(ENOENT\)/);
  });

  it("gives way to the words built in where it fails on a preview, and the log says so", async () => {
    const warnings: string[] = [];
    const logger = pino({ level: "warn" }, { write: (line: string) => void warnings.push(line) });
    const of = (text: string) =>
      createComments({
        store: { current: async () => [] },
        config: {
          comments: "full",
          repositories: [],
          scheme: "https",
          domain: "preview.acme.dev",
          commentTemplate: { file: "x", text },
        },
        logger,
      });
    assert.match((await of("only {{ key }}").posted(preview)) ?? "", /^only shop/m);
    assert.deepEqual(warnings, []);
    assert.match((await of("{% if number == 41 %}x{% endif %}").posted(preview)) ?? "", /is ready/);
    assert.equal(warnings.length, 1);
  });
});
