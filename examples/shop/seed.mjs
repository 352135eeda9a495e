import { openDatabase, transaction } from "./database.mjs";
import { tinPicture } from "./picture.mjs";
import { scenarios } from "./scenarios.mjs";

const name = process.env.SEED_SCENARIO ?? "demo";
if (!Object.hasOwn(scenarios, name)) {
  throw new Error(`SEED_SCENARIO is "${name}", which is none of ${Object.keys(scenarios).join(", ")}`);
}
const { products, users, orders } = scenarios[name];
const database = openDatabase(1);

try {
  await transaction(database, async (client) => {
    for (const [position, product] of products.entries()) await addProduct(client, product, position);
    for (const user of users) {
      await client.query("INSERT INTO users (name, title) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", [
        user.name,
        user.title,
      ]);
    }
    // An order has nothing to know it again by: a second run adds none.
    const { rows } = await client.query("SELECT FROM orders LIMIT 1");
    if (rows.length === 0) for (const order of orders) await addOrder(client, order);
  });
  console.log(`seeded "${name}": ${products.length} products, ${users.length} users, ${orders.length} orders`);
} finally {
  await database.end();
}

async function addProduct(client, { id, name, note, origin, priceCents, colours }, position) {
  await client.query(
    `INSERT INTO products (id, name, note, origin, price_cents, picture, position)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING`,
    [id, name, note, origin, priceCents, tinPicture(colours), position],
  );
}

async function addOrder(client, { customer, status, lines }) {
  const { rows } = await client.query(
    `INSERT INTO orders (customer, status, packed_at)
     VALUES ($1, $2, CASE WHEN $2 = 'packed' THEN now() END) RETURNING id`,
    [customer, status],
  );
  for (const { product, quantity } of lines) {
    await client.query(
      "INSERT INTO order_lines (order_id, product_id, quantity, price_cents) VALUES ($1, $2, $3, $4)",
      [rows[0].id, product.id, quantity, product.priceCents],
    );
  }
}
