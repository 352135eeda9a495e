CREATE TABLE users (
  name  text PRIMARY KEY,
  title text NOT NULL
);
