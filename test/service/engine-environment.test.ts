import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { engineEnvironment } from "../../service/engine-environment.ts";

const choice = (options: Record<string, unknown>) => ({ driver: "any", options });
const target = (service: Record<string, unknown>) => ({
  name: "cloud",
  runs: "images" as const,
  service: choice(service),
  dns: choice({}),
  secrets: choice({}),
});

/** By which providers are kept from what they must not find: see `hiding`. */
const nothing = Object.fromEntries([1, 2, 3, 4, 5].map((number) => [`STACKLING_NOTHING_${number}`, ""]));

describe("the environment of engines", () => {
  const environment = {
    PATH: "/bin",
    GITHUB_TOKEN: "not for engines",
    STATE_KEY: "listed",
    KUBECONFIG_TEXT: "referred to",
    API_KEYS: "deep",
    KUBERNETES_SERVICE_HOST: "10.0.0.1",
  };

  it("holds what the config lists, what targets refer to, and where the machine's identity is", () => {
    const given = engineEnvironment(
      {
        engineEnvironment: ["STATE_KEY", "NOT_SET"],
        targets: [target({ kubeconfig: { env: "KUBECONFIG_TEXT" }, further: [{ keys: { env: "API_KEYS" } }] })],
      },
      environment,
    );
    assert.deepEqual(given, {
      KUBERNETES_SERVICE_HOST: "10.0.0.1",
      STATE_KEY: "listed",
      KUBECONFIG_TEXT: "referred to",
      API_KEYS: "deep",
      STACKLING_AS_FILE_KUBECONFIG_TEXT: "referred to",
      STACKLING_ENV_API_KEYS: "deep",
      ...nothing,
    });
  });

  it("names a file's content for what reads it in each run, except where providers take the path", () => {
    const file = "/run/secrets/token";
    const given = engineEnvironment({ targets: [target({ apiToken: { file }, kubeconfig: { file: "/kube" } })] }, {});
    assert.deepEqual(Object.values(given), [file, ...Object.values(nothing)]);
  });

  it("keeps providers from looking elsewhere for what is not set", () => {
    const given = engineEnvironment({ targets: [target({ apiToken: { env: "NOT_SET" } })] }, {});
    assert.deepEqual(given, { STACKLING_ENV_NOT_SET: "missing", ...nothing });
  });

  it("holds nothing else of the service's own", () => {
    const given = engineEnvironment({ targets: [target({ env: { name: "GITHUB_TOKEN" } })] }, environment);
    assert.deepEqual(Object.keys(given), ["KUBERNETES_SERVICE_HOST", ...Object.keys(nothing)]);
  });
});
