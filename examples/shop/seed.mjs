import { openDatabase, transaction } from "./database.mjs";
import { tinPicture } from "./picture.mjs";
import { products } from "./products.mjs";

const database = openDatabase(1);

try {
  await transaction(database, async (client) => {
    for (const [position, product] of products.entries()) {
      await client.query(
        `INSERT INTO products (id, name, note, origin, price_cents, picture, position)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING`,
        [
          product.id,
          product.name,
          product.note,
          product.origin,
          product.priceCents,
          tinPicture(product.colours),
          position,
        ],
      );
    }
  });
  console.log(`seeded ${products.length} products`);
} finally {
  await database.end();
}
