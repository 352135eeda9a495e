CREATE TABLE sessions (
  id        uuid PRIMARY KEY,
  user_name text NOT NULL REFERENCES users (name) ON DELETE CASCADE,
  -- One token begins one session, whichever process of the shop it comes to.
  login_id  text NOT NULL UNIQUE,
  began_at  timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE orders ADD COLUMN user_name text REFERENCES users (name);
