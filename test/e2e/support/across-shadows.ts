/** What assistive technology finds and presses on a page, also in closed shadow roots, where selectors end. */
import type { Page } from "playwright-core";
import { eventually } from "../../support/eventually.ts";

export interface AcrossShadows {
  has(role: string, name: RegExp, states?: Readonly<Record<string, boolean>>): Promise<boolean>;
  /** Waits until there is one. */
  finds(role: string, name: RegExp, states?: Readonly<Record<string, boolean>>): Promise<void>;
  /** Of the first that there is, once there is one. */
  click(role: string, name: RegExp): Promise<void>;
}

export function acrossShadows(page: Page): AcrossShadows {
  async function find(role: string, name: RegExp, states: Readonly<Record<string, boolean>> = {}) {
    const session = await page.context().newCDPSession(page);
    try {
      const { nodes } = await session.send("Accessibility.getFullAXTree");
      return nodes.find(
        (node) =>
          !node.ignored &&
          node.role?.value === role &&
          name.test(String(node.name?.value ?? "")) &&
          Object.entries(states).every(([state, wanted]) =>
            (node.properties ?? []).some((property) => property.name === state && property.value.value === wanted),
          ),
      );
    } finally {
      await session.detach();
    }
  }

  async function found(role: string, name: RegExp, states?: Readonly<Record<string, boolean>>) {
    return eventually(
      async () => {
        const node = await find(role, name, states);
        if (node?.backendDOMNodeId === undefined) throw new Error(`there is no ${role} ${name}`);
        return node.backendDOMNodeId;
      },
      { timeoutMs: 30_000, what: `${role} ${name}` },
    );
  }

  return {
    has: async (role, name, states) => (await find(role, name, states)) !== undefined,
    finds: async (role, name, states) => void (await found(role, name, states)),
    async click(role, name) {
      const backendNodeId = await found(role, name);
      const session = await page.context().newCDPSession(page);
      const { object } = await session.send("DOM.resolveNode", { backendNodeId });
      await session.send("Runtime.callFunctionOn", {
        objectId: object.objectId ?? "",
        functionDeclaration: "function () { this.click(); }",
        userGesture: true,
      });
      // It may have led elsewhere already.
      await session.detach().catch(() => {});
    },
  };
}
