/** How this version of the shop presents itself: what a pull request on its looks changes. */
export const theme = {
  headline: "Good tea, plainly told.",
  tagline: "Six leaves we drink ourselves, packed by hand on the day you order.",
  accent: "#8a4b20",
  accentSoft: "#f4e7d8",
  paper: "#fbf8f3",
};
