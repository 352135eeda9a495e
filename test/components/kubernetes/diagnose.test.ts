import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CoreV1Event, V1ContainerStatus, V1Pod } from "@kubernetes/client-node";
import { type Diagnosis, diagnose, type Sight } from "../../../components/kubernetes/diagnose.ts";

const IMAGE = "ghcr.io/acme/shop@sha256:1f";

/** A pod as the API shows it, with one container `web`. */
function pod(status: Partial<V1ContainerStatus>, conditions: NonNullable<V1Pod["status"]>["conditions"] = []): V1Pod {
  const container = { name: "web", image: IMAGE, imageID: "", ready: false, restartCount: 0, ...status };
  return {
    metadata: { name: "web-1", uid: "uid-1" },
    spec: { containers: [{ name: "web", image: IMAGE, resources: { limits: { memory: "256Mi" } } }] },
    status: { phase: "Pending", conditions, containerStatuses: [container] },
  };
}

function event(reason: string, message: string): CoreV1Event {
  return { metadata: {}, involvedObject: { uid: "uid-1" }, reason, message };
}

const waiting = (reason: string, message?: string): Partial<V1ContainerStatus> => ({
  state: { waiting: { reason, ...(message !== undefined && { message }) } },
});
const running: Partial<V1ContainerStatus> = { state: { running: {} } };

const cases: readonly [title: string, sight: Partial<Sight>, wanted: Partial<Diagnosis> | undefined][] = [
  ["nothing while a pod is being made", { pods: [pod(waiting("ContainerCreating"))] }, undefined],
  [
    "the image at once when the kubelet has backed off",
    { pods: [pod(waiting("ImagePullBackOff", `Back-off pulling image "${IMAGE}": ErrImagePull: not found`))] },
    { reason: "ImagePullFailed", message: `image "${IMAGE}" cannot be pulled: ErrImagePull: not found`, patienceMs: 0 },
  ],
  [
    "the image with some patience at its first failure",
    { pods: [pod(waiting("ErrImagePull", "i/o timeout"))] },
    { reason: "ImagePullFailed", message: `image "${IMAGE}" cannot be pulled: i/o timeout`, patienceMs: 10_000 },
  ],
  [
    "a crash with where its last lines are",
    {
      pods: [
        pod({
          ...waiting("CrashLoopBackOff"),
          restartCount: 3,
          lastState: { terminated: { exitCode: 2, reason: "Error" } },
        }),
      ],
    },
    {
      reason: "StartFailed",
      message: 'container "web" exited with code 2 3 times',
      patienceMs: 0,
      log: { pod: "web-1", container: "web", previous: true },
    },
  ],
  [
    "memory that was not enough",
    {
      pods: [
        pod({
          ...waiting("CrashLoopBackOff"),
          restartCount: 1,
          lastState: { terminated: { exitCode: 137, reason: "OOMKilled" } },
        }),
      ],
    },
    { message: 'container "web" was killed because it used more than its 256Mi memory' },
  ],
  [
    "an image that would run as root",
    { pods: [pod(waiting("CreateContainerConfigError", "container has runAsNonRoot and image will run as root"))] },
    {
      reason: "StartFailed",
      message: 'container "web" cannot be made: container has runAsNonRoot and image will run as root',
      patienceMs: 0,
    },
  ],
  [
    "a Secret that is yet to be made, patiently",
    { pods: [pod(waiting("CreateContainerConfigError", 'secret "web-external-1" not found'))] },
    { reason: "StartFailed", patienceMs: Number.POSITIVE_INFINITY },
  ],
  [
    "no node, patiently, for one may be on its way",
    {
      pods: [
        pod({}, [
          { type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/3 nodes are available" },
        ]),
      ],
    },
    {
      reason: "Unschedulable",
      message: "no node takes its pod: 0/3 nodes are available",
      patienceMs: Number.POSITIVE_INFINITY,
    },
  ],
  [
    "a full quota",
    {
      refusal: 'pods "web-1" is forbidden: exceeded quota: preview, requested: pods=1, used: pods=15, limited: pods=15',
    },
    {
      reason: "QuotaExceeded",
      message:
        "the preview's quota is full (exceeded quota: preview, requested: pods=1, used: pods=15, limited: pods=15)",
    },
  ],
  [
    "what the restricted standard refuses",
    { refusal: 'pods "web-1" is forbidden: violates PodSecurity "restricted:latest": hostPort' },
    { reason: "StartFailed", patienceMs: 0 },
  ],
  [
    "a health path that answers badly",
    {
      pods: [pod(running)],
      healthPath: "/health",
      events: [event("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 500")],
    },
    {
      reason: "HealthCheckFailed",
      message:
        'health path "/health" does not answer well (Readiness probe failed: HTTP probe failed with statuscode: 500)',
      patienceMs: Number.POSITIVE_INFINITY,
      log: { pod: "web-1", container: "web", previous: false },
    },
  ],
  ["a port that nothing listens on", { pods: [pod(running)] }, { reason: "PortNotOpen" }],
  [
    "health and not the exit code where the kubelet ended it for being late",
    {
      pods: [
        pod({
          ...waiting("CrashLoopBackOff"),
          restartCount: 1,
          lastState: { terminated: { exitCode: 137, reason: "Error" } },
        }),
      ],
      healthPath: "/health",
      events: [event("Killing", "Container web failed startup probe, will be restarted")],
    },
    { reason: "HealthCheckFailed", patienceMs: 0, log: { pod: "web-1", container: "web", previous: true } },
  ],
  ["nothing of a worker that runs", { kind: "worker", pods: [pod(running)] }, undefined],
  [
    "nothing of a pod that is going",
    { pods: [{ ...pod(waiting("CrashLoopBackOff")), metadata: { deletionTimestamp: new Date() } }] },
    undefined,
  ],
];

describe("what pods and events tell", () => {
  for (const [title, sight, wanted] of cases) {
    it(`is ${title}`, () => {
      const seen = diagnose({ service: "web", kind: "web", pods: [], events: [], ...sight });
      const told = wanted && seen && Object.fromEntries(Object.keys(wanted).map((key) => [key, seen[key as never]]));
      assert.deepEqual(wanted ? told : seen, wanted);
    });
  }
});
