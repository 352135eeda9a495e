/** Every forge by the name the config uses; adding one is a file and a line. */
export const forges = {
  gitea: async () => (await import("./gitea.ts")).giteaForge,
  github: async () => (await import("./github.ts")).githubForge,
  gitlab: async () => (await import("./gitlab.ts")).gitlabForge,
  local: async () => (await import("./local.ts")).localForge,
} as const;

export type ForgeName = keyof typeof forges;
