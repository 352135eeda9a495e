import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TerminalError } from "../../../components/errors.ts";
import { kubernetesFailure } from "../../../components/kubernetes/engine-words.ts";

const ACTION = 'updating stack "shop-pr-1"';

const cases: readonly [text: string, reason: string, words: string, terminal: boolean][] = [
  [
    "error: configured Kubernetes cluster is unreachable: unable to load schema information from the API server",
    "TargetUnreachable",
    `${ACTION}: the cluster cannot be reached`,
    false,
  ],
  [
    'error: Delete "https://10.0.0.1:6443/api/v1/namespaces/p": dial tcp 10.0.0.1:6443: connect: connection refused',
    "TargetUnreachable",
    `${ACTION}: the API of its target cannot be reached`,
    false,
  ],
  [
    'error: deployments.apps is forbidden: User "ci" cannot patch resource "deployments" in API group "apps" in the namespace "p": no RBAC',
    "TargetForbidden",
    `${ACTION}: User "ci" cannot patch resource "deployments" in API group "apps" in the namespace "p"`,
    true,
  ],
  [
    'error: services "web" is forbidden: exceeded quota: preview, requested: services.nodeports=1',
    "QuotaExceeded",
    `${ACTION}: the preview's quota is full (exceeded quota: preview, requested: services.nodeports=1)`,
    false,
  ],
  [
    'error: configmaps "x" is forbidden: unable to create new content in namespace p because it is being terminated',
    "NamespaceTerminating",
    `${ACTION}: its last namespace is still going`,
    false,
  ],
  [
    'error: no matches for kind "ExternalSecret" in version "external-secrets.io/v1"',
    "TargetInvalid",
    `${ACTION}: the cluster lacks the External Secrets Operator ("ExternalSecret"); install it there first`,
    true,
  ],
];

describe("a failure of the provider of kubernetes", () => {
  for (const [text, reason, words, terminal] of cases) {
    it(`is ${reason} when it says "${text.slice(7, 60)}…"`, () => {
      const failure = kubernetesFailure(ACTION, text);
      assert.equal(failure?.reason, reason);
      assert.equal(failure?.userMessage, words);
      assert.equal(failure instanceof TerminalError, terminal);
    });
  }

  it("is nobody's when the words are another's", () => {
    assert.equal(kubernetesFailure(ACTION, "error: the bucket does not exist"), undefined);
  });
});
