/** What fails by its own fault, and what because a package registry was away. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { TerminalError } from "../../../components/errors.ts";
import { layout } from "../../../components/local/layout.ts";
import { tellsOfRegistryOutage } from "../../../components/local/registry-outage.ts";
import { createRepository, type TestRepository } from "../../support/git-repository.ts";
import { createLocalWorld, failureOf } from "./local-world.ts";

const REFUSED = "http://127.0.0.1:1/left-pad failed, reason: connect ECONNREFUSED 127.0.0.1:1";
const PIP_RETRY =
  "after connection broken by 'NewConnectionError('<HTTPConnection>: [Errno 111] Connection refused')': /simple/left-pad/";
const PIP_NONE = "ERROR: No matching distribution found for left-pad";

/** As the tools wrote them, shortened. */
const AWAY: Readonly<Record<string, string>> = {
  "npm, refused": `npm error code ECONNREFUSED\nnpm error FetchError: request to ${REFUSED}`,
  "npm, refused, its first lines cut off": "npm error   code: 'ECONNREFUSED',\nnpm error   errno: 'ECONNREFUSED',",
  "npm, no such host": "npm error code ENOTFOUND\nnpm error network request to http://registry.example/left-pad failed",
  "npm, 503": "npm error code E503\nnpm error 503 Service Unavailable - GET http://registry.example/left-pad",
  "npm before 10, too late":
    "npm ERR! code ETIMEDOUT\nnpm ERR! network request to http://registry.example/left-pad failed",
  Corepack: "Error: Error when performing the request to http://127.0.0.1:1/pnpm/9.1.0; for troubleshooting help, see",
  "pnpm, refused": ` ERR_PNPM_META_FETCH_FAIL  GET http://127.0.0.1:1/left-pad: request to ${REFUSED}`,
  "pnpm, a tarball": ` ECONNREFUSED  request to ${REFUSED}`,
  "pnpm, 503": " ERR_PNPM_FETCH_503  GET http://registry.example/left-pad: Service Unavailable - 503",
  "Yarn 1, refused": "error Error: connect ECONNREFUSED 127.0.0.1:1\n    at TCPConnectWrap.afterConnect",
  "Yarn 1, a tarball":
    'error An unexpected error occurred: "https://registry.example/left-pad.tgz: Request failed \\"503 Service Unavailable\\"".',
  "Yarn 1, 503": 'ResponseError: Request failed "503 Service Unavailable"\n    at ResponseError.ExtendableBuiltin',
  "Yarn 4, refused": "➤ YN0001: │ RequestError: connect ECONNREFUSED 127.0.0.1:1",
  "Yarn 4 on Node.js 24": "➤ YN0001: │ Error [ERR_SOCKET_CLOSED_BEFORE_CONNECTION]: Socket closed before",
  "Yarn 4, 503": "➤ YN0035: │   Response Code: 503 (Service Unavailable)\n➤ YN0035: │   Request Method: GET",
  Bun: "error: ConnectionRefused downloading package manifest left-pad\nerror: left-pad@1.3.0 failed to resolve",
  "pip, refused": `WARNING: Retrying (Retry(total=0, connect=None)) ${PIP_RETRY}\n${PIP_NONE}`,
  "pip, 503 of a file": "ERROR: HTTP error 503 while getting http://registry.example/packages/left_pad.whl",
  "uv, no such host":
    "error: Request failed after 3 retries\n  cause: Failed to fetch: http://registry.example/simple/left-pad/\n  cause: error sending request for url (http://registry.example/simple/left-pad/)\n  cause: dns error",
  "uv, 503":
    "  cause: Failed to fetch: http://registry.example/simple/left-pad/\n  cause: HTTP status server error (503 Service Unavailable) for url",
  Poetry: "  All attempts to connect to pypi.org failed.",
  "go, of a module":
    'go: github.com/pkg/errors@v0.9.1: Get "http://127.0.0.1:1/github.com/pkg/errors/@v/v0.9.1.mod": dial tcp 127.0.0.1:1: connect: connection refused',
  "go, of an import":
    "main.go:3:8: github.com/pkg/errors@v0.9.1: reading http://proxy.example/github.com/pkg/errors/@v/v0.9.1.zip: 503 Service Unavailable",
  "cargo, refused": "Caused by:\n  [7] Could not connect to server (Failed to connect to 127.0.0.1 port 1 after 0 ms)",
  "cargo, 503":
    "Caused by:\n  failed to get successful HTTP response from `http://crates.example/config.json` (10.0.0.1), got 503\n  body:",
  Bundler: "Could not reach host index.example. Check your network connection and try again.",
  Composer: "  curl error 6 while downloading https://repo.example/packages.json: Could not resolve host: repo.example",
  "Composer, 504": 'The "https://api.example/zipball/1"\nfile could not be downloaded (HTTP/2 504 )',
};

const AT_FAULT: Readonly<Record<string, string>> = {
  "a package that does not exist":
    "npm error code E404\nnpm error 404 Not Found - GET http://registry.example/left-pda",
  "a lock file that does not fit": "npm error code EUSAGE\nnpm error `npm ci` can only install packages when",
  "no right to a package": "npm error code E403\nnpm error 403 403 Forbidden - GET http://registry.example/left-pad",
  "pnpm, no such package": " ERR_PNPM_FETCH_404  GET http://registry.example/left-pda: Not Found - 404",
  "pnpm, a bug":
    ' ERR_PNPM_META_FETCH_FAIL  GET http://registry.example/x: Value of "this" must be of type URLSearchParams',
  "Yarn 4, no such package": "➤ YN0035: │   Response Code: 404 (Not Found)",
  "pip, no such package": `ERROR: Could not find a version that satisfies the requirement left-pda\n${PIP_NONE}`,
  "pip, which got through at its last try but one": `WARNING: Retrying (Retry(total=1, connect=None)) ${PIP_RETRY}\n${PIP_NONE}`,
  "pip, a wheel that does not compile after a bad connection": `WARNING: Retrying (Retry(total=0, connect=None)) ${PIP_RETRY}\nerror: command 'gcc' failed with exit code 1`,
  "go, no such version": "go: github.com/pkg/errors@v9.9.9: reading http://proxy.example/x.info: 404 Not Found",
  "a generator that cannot reach its server":
    'Get "http://localhost:9090/schema": dial tcp 127.0.0.1:9090: connect: connection refused\nexit status 1',
  "a build that cannot reach its own server":
    "Error: connect ECONNREFUSED 127.0.0.1:5432\n    at TCPConnectWrap.afterConnect\nnpm error code ELIFECYCLE",
  "a compiler": "src/main.ts(1,7): error TS2322: Type 'string' is not assignable to type 'number'.",
};

describe("the last words of an install or a build", () => {
  for (const [name, text] of Object.entries(AWAY)) {
    it(`tell of a registry that is away: ${name}`, () => assert.equal(tellsOfRegistryOutage(text.split("\n")), true));
  }
  for (const [name, text] of Object.entries(AT_FAULT)) {
    it(`tell of no outage: ${name}`, () => assert.equal(tellsOfRegistryOutage(text.split("\n")), false));
  }
});

describe("an install whose registry is away", () => {
  let repository: TestRepository;
  let world: Awaited<ReturnType<typeof createLocalWorld>>;
  const REGISTRY = "registry=http://127.0.0.1:1/\nfetch-retries=0\n";
  const manifest = (scripts = {}) =>
    JSON.stringify({ name: "app", version: "1.0.0", dependencies: { "left-pad": "1.3.0" }, scripts });

  before(async () => {
    repository = await createRepository({ files: { "package.json": manifest(), ".npmrc": REGISTRY } });
    world = await createLocalWorld();
  });
  after(async () => {
    await world.remove();
    await repository.remove();
  });

  const installing = async (command: string) => {
    const install = [{ command, directory: "." }];
    const commit = await repository.head("main");
    return failureOf(world.checkOut({ repository: repository.path, commit, install }));
  };
  const NPM = "env -u npm_config_registry npm install --no-audit --no-fund";

  it("is tried again, with all that npm says", async () => {
    const failure = await installing(NPM);
    assert.deepEqual([failure.reason, failure instanceof TerminalError], ["InstallFailed", false]);
    assert.match(failure.userMessage, /it exited with code 1; a package registry could not be reached$/);
    assert.match(failure.excerpt.join("\n"), /ECONNREFUSED/);
  });

  it("is none that the cache remembers", async () => {
    const back = join(world.dataDir, "back");
    const command = `if [ -e ${back} ]; then mkdir node_modules && pwd > node_modules/where; else ${NPM}; fi`;
    assert.ok(!((await installing(command)) instanceof TerminalError));
    await writeFile(back, "");
    const commit = await repository.head("main");
    const install = [{ command, directory: "." }];
    const path = await world.checkOut({ repository: repository.path, commit, install });
    assert.ok(
      (await readFile(join(path, "node_modules", "where"), "utf8")).startsWith(layout(world.dataDir).installCache),
    );
  });

  it("waits for a push when it fails for itself", async () => {
    assert.ok((await installing("echo no such script; exit 1")) instanceof TerminalError);
  });

  it("is tried again where packages have scripts and the cache is not used", async () => {
    await repository.commit("main", { "package.json": manifest({ postinstall: "true" }) });
    assert.ok(!((await installing(NPM)) instanceof TerminalError));
  });
});
