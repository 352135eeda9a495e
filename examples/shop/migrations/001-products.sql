CREATE TABLE products (
  id          text PRIMARY KEY,
  name        text NOT NULL,
  note        text NOT NULL,
  origin      text NOT NULL,
  price_cents integer NOT NULL CHECK (price_cents > 0),
  picture     text NOT NULL,
  position    integer NOT NULL
);
