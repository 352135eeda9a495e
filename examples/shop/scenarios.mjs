import { products } from "./products.mjs";

const users = [
  { name: "ada", title: "Ada, who likes it strong" },
  { name: "grace", title: "Grace, who runs the shop" },
];

const DAY_CUSTOMERS = ["Ada", "Barbara", "Edith", "Grace", "Hedy", "Katherine", "Margaret", "Radia"];

/** What a new database may be seeded with, by the names that preview.yaml knows. */
export const scenarios = {
  empty: { products: [], users: [], orders: [] },
  demo: { products, users, orders: [] },
  "busy-day": { products, users, orders: Array.from({ length: 40 }, busyOrder) },
  "edge-cases": {
    products: [...products.slice(0, 2), ...oddProducts()],
    users: [
      ...users,
      {
        name: "o.leary+test@example.com",
        title: "Zoë O’Leary-Şahin 林, whose name is longer than any column expects it to be",
      },
      { name: "robert", title: "Robert'); DROP TABLE products;--" },
    ],
    orders: [
      { customer: '<script>alert("tea")</script>', status: "packed", lines: [{ product: products[0], quantity: 99 }] },
      { customer: "ضيف الشاي", status: "packed", lines: [{ product: products[1], quantity: 1 }] },
      { customer: "🫖".repeat(40), status: "packed", lines: [{ product: products[0], quantity: 1 }] },
    ],
  },
};

function busyOrder(_none, index) {
  const lines = products.slice(0, 1 + (index % 3)).map((product) => ({ product, quantity: 1 + (index % 5) }));
  return { customer: DAY_CUSTOMERS[index % DAY_CUSTOMERS.length], status: index % 4 ? "packed" : "placed", lines };
}

function oddProducts() {
  const { colours } = products[0];
  const odd = (id, name, note, priceCents) => ({ id, name, note, origin: "—", priceCents, colours });
  return [
    odd("one-cent", "A Sample", "", 1),
    odd(
      "a-fortune",
      "Da Hong Pao, 20 g, from the mother trees of the Wuyi mountains",
      "Once auctioned.",
      2_147_483_647,
    ),
    odd("marked-up", "<b>Bold</b> & “Quoted” 'Blend'", "Line one\nline two\t\\n ${price} {{name}}", 999),
    odd("long-word", "Rindfleischetikettierungsüberwachungsaufgabenübertragungstee", "x".repeat(400), 700),
    odd("right-to-left", "شاي بالنعناع", "من اليمين إلى اليسار", 650),
    odd(
      "e\u0301toile",
      "Étoile 🌟 茶 \u200bnull undefined NaN",
      "Letters that combine, and a space without width.",
      880,
    ),
  ];
}
