/** The manual as a site: `npm run docs`. Nothing of it is asked of another host, neither built nor read. */
import process from "node:process";
import { linksOutside, slugify } from "./links.ts";
import { sidebar } from "./sidebar.ts";

/** Where the repository can be read, for links to its files. */
const repository = process.env.STACKLING_DOCS_REPOSITORY;

/** Where the site lies, with a slash at both ends. */
const base = process.env.STACKLING_DOCS_BASE ?? "/";

export default {
  title: "Stackling",
  description: "A Pulumi stack for every pull request.",
  lang: "en",
  base,
  head: [["link", { rel: "icon", type: "image/svg+xml", href: `${base}icon.svg` }]],
  metaChunk: true,
  srcExclude: ["node_modules/**"],
  markdown: {
    anchor: { slugify },
    // `{key}` behind a heading is a part of a path.
    attrs: { disable: true },
    toc: { slugify },
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
    languageAlias: { liquid: "html" },
    config: (markdown) => void markdown.use(linksOutside(repository)),
  },
  themeConfig: {
    logo: "/icon.svg",
    sidebar: sidebar(),
    outline: { level: [2, 3] },
    search: { provider: "local" },
    docFooter: { prev: "Before", next: "Next" },
    ...(repository ? { socialLinks: [{ icon: "git", link: repository }] } : {}),
    footer: { message: "Apache-2.0" },
  },
};
