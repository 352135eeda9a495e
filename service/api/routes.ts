import type { Baselines } from "../baselines/keeper.ts";
import type { ReadKpis } from "../kpis/kpis.ts";
import type { Budgets } from "../money/budgets/budgets.ts";
import type { Costs } from "../money/costs.ts";
import { createDoing, type DoingDeps } from "./doing.ts";
import type { Route } from "./route.ts";
import { type AccessRoutesDeps, accessRoutes } from "./routes/access.ts";
import { baselineRoutes } from "./routes/baselines.ts";
import { budgetRoutes } from "./routes/budgets.ts";
import { costRoutes } from "./routes/costs.ts";
import { costExportRoute } from "./routes/costs-export.ts";
import { type DeploymentRoutesDeps, deploymentRoutes } from "./routes/deployments.ts";
import { kpiRoutes } from "./routes/kpis.ts";
import { type OperateRoutesDeps, operateRoutes } from "./routes/operate.ts";
import { type PreviewRoutesDeps, previewRoutes } from "./routes/previews.ts";
import { type RepositoryRoutesDeps, repositoryRoutes } from "./routes/repositories.ts";
import { type ShareRoutesDeps, shareRoutes } from "./routes/share.ts";
import { type StreamRoutesDeps, streamRoutes } from "./routes/streams.ts";

export type RoutesDeps = DoingDeps &
  Omit<
    PreviewRoutesDeps &
      StreamRoutesDeps &
      DeploymentRoutesDeps &
      RepositoryRoutesDeps &
      OperateRoutesDeps &
      ShareRoutesDeps &
      AccessRoutesDeps,
    "doing" | "actions"
  > & { readonly baselines: Baselines; readonly costs: Costs; readonly budgets: Budgets; readonly kpis: ReadKpis };

/** Every call of the API; adding one is an entry in its file. */
export function routesOf(deps: RoutesDeps): readonly Route[] {
  const parts = { ...deps, doing: createDoing(deps) };
  return [
    ...previewRoutes(parts),
    ...streamRoutes(parts),
    ...deploymentRoutes(parts),
    ...shareRoutes(parts),
    ...operateRoutes(parts),
    ...repositoryRoutes(parts),
    ...baselineRoutes(parts),
    ...costRoutes(deps),
    ...budgetRoutes(parts),
    costExportRoute(deps),
    ...kpiRoutes(deps),
    ...accessRoutes(parts),
  ];
}
