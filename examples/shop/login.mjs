import { randomUUID } from "node:crypto";
import { importJWK, jwtVerify } from "jose";

const COOKIE = "session";
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const { STACKLING_LOGIN_KEY: key, STACKLING_URL: url } = process.env;

/** Whether this is a preview of Stackling, which may name users to us; anywhere else there is no such login. */
export const isPreview = key !== undefined && url !== undefined;

/**
 * Begins the session of the user whom a token of Stackling names, and returns the header that sets its cookie.
 * Undefined when the token is not for this preview, too old or used before, or there is no such user.
 */
export async function logIn(database, token) {
  const claims = await claimsOf(token);
  if (!claims) return undefined;
  const session = randomUUID();
  const { rowCount } = await database.query(
    `INSERT INTO sessions (id, user_name, login_id) SELECT $1, name, $2 FROM users WHERE name = $3
     ON CONFLICT (login_id) DO NOTHING`,
    [session, claims.jti, claims.sub],
  );
  return rowCount === 1 ? cookieHeader(session) : undefined;
}

/** Who is logged in; undefined for a guest. */
export async function userOf(database, request) {
  const session = sessionOf(request);
  if (!session) return undefined;
  const { rows } = await database.query(
    "SELECT u.name, u.title FROM sessions s JOIN users u ON u.name = s.user_name WHERE s.id = $1",
    [session],
  );
  return rows[0];
}

/** Ends the session, and returns the header that takes its cookie back. */
export async function logOut(database, request) {
  const session = sessionOf(request);
  if (session) await database.query("DELETE FROM sessions WHERE id = $1", [session]);
  return cookieHeader("", "; Max-Age=0");
}

async function claimsOf(token) {
  try {
    const options = {
      issuer: "stackling",
      audience: url,
      algorithms: ["ES256"],
      requiredClaims: ["sub", "jti", "exp"],
    };
    return (await jwtVerify(token, await importJWK(JSON.parse(key), "ES256"), options)).payload;
  } catch (error) {
    console.error(`a login was refused: ${error.message}`);
    return undefined;
  }
}

function sessionOf(request) {
  const pairs = (request.headers.cookie ?? "").split(";").map((pair) => pair.trim().split("="));
  const id = pairs.find(([name]) => name === COOKIE)?.[1];
  return id && UUID.test(id) ? id : undefined;
}

function cookieHeader(value, more = "") {
  const secure = url?.startsWith("https:") ? "; Secure" : "";
  return { "set-cookie": `${COOKIE}=${value}; Path=/; HttpOnly; SameSite=Lax${secure}${more}` };
}
