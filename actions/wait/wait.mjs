// Waits in a CI job until a preview serves the commit that the job is for. Needs Node 20 and nothing else.
import { randomUUID } from "node:crypto";
import { appendFileSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

const env = process.env;
const ASK_EVERY_MS = Number(env.STACKLING_ASK_EVERY_MS || 2_000);
const ASK_WITHIN_MS = 15_000;
const STALE_MS = 15_000;

/** What previews say is printed below, and GitHub would carry out commands in it. */
const quiet = env.GITHUB_ACTIONS ? randomUUID() : "";
if (quiet) console.log(`::stop-commands::${quiet}`);

main().catch((error) => fail(error.message));

async function main() {
  const { url, token, key, sha, timeoutMs } = settings();
  const address = `${url.replace(/\/+$/, "")}/api/v1/previews/${encodeURIComponent(key)}`;
  const deadline = Date.now() + timeoutMs;
  console.log(`Waiting for ${key} to serve ${sha ? sha.slice(0, 12) : "its newest commit"}`);
  let headSince;
  let said = "";
  for (;;) {
    const asked = await ask(address, token, key);
    const { preview } = asked;
    const isNewest = preview?.headSha?.startsWith(sha);
    const outcome = preview ? judge(preview, sha, headSince) : { words: asked.words };
    if (isNewest) headSince ??= Date.now();
    if (outcome.words !== said) console.log(outcome.words);
    said = outcome.words;
    if (outcome.kind === "ready") return ready(preview);
    if (outcome.kind === "failed") return fail(outcome.words, preview);
    if (Date.now() + ASK_EVERY_MS > deadline) {
      return fail(`${key} was not ready within ${timeoutMs / 1000} s: ${said}`, preview);
    }
    await pause(ASK_EVERY_MS);
  }
}

function settings() {
  const event = env.GITHUB_EVENT_PATH ? JSON.parse(readFileSync(env.GITHUB_EVENT_PATH, "utf8")) : {};
  const payload = event.client_payload ?? {};
  const number = event.pull_request?.number ?? event.issue?.number ?? env.CI_MERGE_REQUEST_IID;
  const name = env.STACKLING_REPOSITORY || env.GITHUB_REPOSITORY?.split("/")[1] || env.CI_PROJECT_NAME;
  const key = env.STACKLING_KEY || payload.key || (name && number ? `${name.toLowerCase()}#${number}` : undefined);
  const url = required("STACKLING_URL", "the address of Stackling");
  const token = required("STACKLING_TOKEN", "a token of its API that may look");
  if (!key) throw new Error('which preview is not known here: give its key, such as "shop#42"');
  if (!URL.canParse(url) || !/^https?:/.test(url)) throw new Error(`STACKLING_URL is "${url}", which is no address`);
  const seconds = Number(env.STACKLING_TIMEOUT || 600);
  if (!(seconds > 0)) throw new Error(`STACKLING_TIMEOUT is "${env.STACKLING_TIMEOUT}", which is no number of seconds`);
  const sha =
    env.STACKLING_SHA ||
    payload.commit ||
    // Not GITHUB_SHA, which is a merge of the head that nothing serves.
    event.pull_request?.head?.sha ||
    (env.CI_MERGE_REQUEST_IID && (env.CI_MERGE_REQUEST_SOURCE_BRANCH_SHA || env.CI_COMMIT_SHA)) ||
    "";
  if (sha && !/^[0-9a-f]{7,64}$/.test(sha))
    throw new Error(`"${sha}" is no commit: give seven digits of its id or more`);
  return { url, token, key, sha, timeoutMs: seconds * 1000 };
}

function required(name, what) {
  const value = env[name];
  if (!value) throw new Error(`${name} is empty: it must hold ${what}`);
  return value;
}

/** What cannot be asked now is asked again; a refusal ends it. */
async function ask(address, token, key) {
  const response = await fetch(address, {
    headers: { authorization: `Bearer ${token}`, accept: "application/json" },
    redirect: "error",
    signal: AbortSignal.timeout(ASK_WITHIN_MS),
  }).catch(() => undefined);
  if (!response) return { words: "Stackling does not answer" };
  if (response.status === 401 || response.status === 403) {
    throw new Error(`Stackling refuses the token in STACKLING_TOKEN (${response.status})`);
  }
  if (response.status === 404) return { words: `There is no preview "${key}" yet` };
  if (!response.ok) return { words: `Stackling answered ${response.status}` };
  return response.json().then(
    (preview) => ({ preview }),
    () => ({ words: "Stackling answered with no JSON" }),
  );
}

function judge({ stage, condition, reason, message, commit, headSha, rolledBack, since, lastPushAt }, sha, headSince) {
  const words = `${condition} (${reason}): ${message}`;
  if (stage === "Gone") return { kind: "failed", words: `It is gone: ${message}` };
  if (sha && !headSha?.startsWith(sha)) {
    const isOver = headSince !== undefined || commit?.startsWith(sha);
    const newest = headSha ? headSha.slice(0, 12) : "nothing";
    return isOver
      ? { kind: "failed", words: `A newer commit was pushed, ${newest}` }
      : { words: `Its newest commit is ${newest}, so far` };
  }
  // Just behind a push it may be said of the commit before still.
  const isFresh = headSince === undefined || Date.now() - headSince < STALE_MS;
  if (condition === "Stalled" && since <= lastPushAt && isFresh) return { words };
  if (condition === "Stalled" || reason === "Paused") return { kind: "failed", words };
  if (condition !== "Ready") return { words };
  const isServed = commit !== undefined && commit === headSha;
  if (!isServed && rolledBack) return { kind: "failed", words: `It was rolled back to ${rolledBack.sha.slice(0, 12)}` };
  return isServed && (reason === "Healthy" || reason === "Asleep") ? { kind: "ready", words } : { words };
}

function ready({ key, url, urls, commit }) {
  if (!url) return fail(`${key} is ready and has no address`);
  const outputs = { url, urls: JSON.stringify(urls ?? {}), commit: commit ?? "", key };
  if (env.GITHUB_OUTPUT) append(env.GITHUB_OUTPUT, outputs);
  if (env.STACKLING_DOTENV) {
    const entries = Object.entries(outputs).map(([name, value]) => [`STACKLING_PREVIEW_${name.toUpperCase()}`, value]);
    append(env.STACKLING_DOTENV, Object.fromEntries(entries));
  }
  console.log(`${key} is ready: ${url}`);
}

/** Whatever a preview is called, it can begin no line of its own. */
function append(file, values) {
  const lines = Object.entries(values).map(([name, value]) => `${name}=${oneLine(value)}\n`);
  appendFileSync(file, lines.join(""));
}

function fail(words, preview) {
  for (const line of preview?.excerpt ?? []) console.log(`| ${oneLine(line)}`);
  const said = oneLine(words);
  if (quiet) console.log(`::${quiet}::`);
  console.log(quiet ? `::error title=Stackling::${said.replaceAll("%", "%25")}` : said);
  process.exitCode = 1;
}

function oneLine(text) {
  return String(text).replace(/[\r\n]+/g, " ");
}
