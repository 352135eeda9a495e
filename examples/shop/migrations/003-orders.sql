CREATE TABLE orders (
  id        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  number    bigint GENERATED ALWAYS AS IDENTITY (START WITH 1001) UNIQUE,
  customer  text NOT NULL,
  status    text NOT NULL DEFAULT 'placed' CHECK (status IN ('placed', 'packed')),
  placed_at timestamptz NOT NULL DEFAULT now(),
  packed_at timestamptz
);

CREATE TABLE order_lines (
  order_id    uuid NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
  product_id  text NOT NULL REFERENCES products (id),
  quantity    integer NOT NULL,
  price_cents integer NOT NULL,
  PRIMARY KEY (order_id, product_id)
);

CREATE INDEX orders_to_pack ON orders (placed_at) WHERE status = 'placed';
