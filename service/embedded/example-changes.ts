/** What the example's pull requests change: one its looks, one its assortment, one its code. */

export interface Change {
  /** First line of the commit, which becomes the pull request's title. */
  readonly title: string;
  readonly edits: readonly { readonly file: string; readonly replace: string; readonly by: string }[];
}

export const pullRequests: readonly (Change & { readonly gitBranch: string })[] = [
  {
    gitBranch: "feature/summer-teas",
    title: "Offer two iced teas for the summer",
    edits: [
      {
        file: "products.mjs",
        replace: "export const products = [",
        by: `export const products = [
  {
    id: "white-peach-ice",
    name: "White Peach Ice",
    note: "Cold-brewed white tea with peach: eight hours, no sugar.",
    origin: "Summer",
    priceCents: 1090,
    colours: { body: "#f0a07a", lid: "#d2704a", label: "#fff6ef" },
  },
  {
    id: "lime-sencha",
    name: "Lime Sencha",
    note: "Green tea, lime leaf and a lot of ice.",
    origin: "Summer",
    priceCents: 950,
    colours: { body: "#9fbf4d", lid: "#70902a", label: "#f9fdea" },
  },`,
      },
      { file: "theme.mjs", replace: "Good tea, plainly told.", by: "Summer, over ice." },
      {
        file: "theme.mjs",
        replace: "Six leaves we drink ourselves",
        by: "Two new iced teas and six leaves we drink ourselves",
      },
      { file: "theme.mjs", replace: 'accent: "#8a4b20"', by: 'accent: "#c2552d"' },
      { file: "theme.mjs", replace: 'accentSoft: "#f4e7d8"', by: 'accentSoft: "#fde8d4"' },
    ],
  },
  {
    gitBranch: "design/evening",
    title: "Try a quieter look in evening blue",
    edits: [
      { file: "theme.mjs", replace: "Good tea, plainly told.", by: "An evening with tea." },
      { file: "theme.mjs", replace: 'accent: "#8a4b20"', by: 'accent: "#35508f"' },
      { file: "theme.mjs", replace: 'accentSoft: "#f4e7d8"', by: 'accentSoft: "#e2e8f7"' },
      { file: "theme.mjs", replace: 'paper: "#fbf8f3"', by: 'paper: "#f5f7fc"' },
    ],
  },
  {
    gitBranch: "feature/price-per-cup",
    title: "Say what one cup costs",
    edits: [
      {
        file: "pages/home.mjs",
        replace: '<span class="price">${money(product.priceCents)}</span>',
        by: '<span><span class="price">${money(product.priceCents)}</span> <small>${money(product.priceCents / 40)} a cup</small></span>',
      },
      { file: "theme.mjs", replace: 'accent: "#8a4b20"', by: 'accent: "#2f6b4f"' },
      { file: "theme.mjs", replace: 'accentSoft: "#f4e7d8"', by: 'accentSoft: "#e0efe6"' },
    ],
  },
];

/** The demonstration's own pull request, and what is pushed to it later. */
export const demonstration: { readonly opened: Change; readonly pushed: Change } = {
  opened: {
    title: "Greet the visitor",
    edits: [{ file: "theme.mjs", replace: "Good tea, plainly told.", by: "Welcome to the demonstration." }],
  },
  pushed: {
    title: "Greet the visitor more warmly",
    edits: [
      { file: "theme.mjs", replace: "Welcome to the demonstration.", by: "A warm welcome, and a second commit." },
    ],
  },
};
