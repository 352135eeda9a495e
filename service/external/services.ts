/** Reads which services of others the repositories use, from preview.yaml of their default branches. */
import type { Finding } from "../../components/ports.ts";
import type { RepositoryConfig } from "../config/repository-types.ts";
import { type ApplicationRead, wordsOf } from "../policy.ts";
import { createSubjectReader, refOf, type SubjectDeps, type SubjectReader } from "../subject.ts";
import { matrixOf, type RepositoryRead, type ServiceMatrix, serviceFindings } from "./matrix.ts";

export interface ExternalServicesDeps extends SubjectDeps {
  readonly repositories: () => Promise<readonly RepositoryConfig[]>;
  readonly now: () => string;
}

export interface ExternalServices {
  /** Never rejects for an outage of a forge: what could not be read is a warning. */
  read(): Promise<ServiceMatrix>;
  /** What each repository's preview.yaml says on its default branch; read seldom. */
  applications(): Promise<readonly RepositoryRead[]>;
  check(): Promise<readonly Finding[]>;
}

/** A page that is looked at again and again shall not cost a request a repository each time. */
const KEPT_MS = 30_000;

export function createExternalServices(deps: ExternalServicesDeps): ExternalServices {
  const subjects = createSubjectReader(deps);
  let kept: { readonly reads: Promise<readonly RepositoryRead[]>; readonly until: number } | undefined;

  const readAll = async () =>
    Promise.all(
      (await deps.repositories()).map(async (repository) => ({
        repository,
        read: await readOne(deps, subjects, repository),
      })),
    );

  const read = async () => matrixOf(await applications(), deps.now());

  async function applications(): Promise<readonly RepositoryRead[]> {
    if (!kept || kept.until <= performance.now()) kept = { reads: readAll(), until: performance.now() + KEPT_MS };
    try {
      return await kept.reads;
    } catch (error) {
      kept = undefined;
      throw error;
    }
  }

  return { read, applications, check: async () => serviceFindings(await read()) };
}

async function readOne(
  { forge }: ExternalServicesDeps,
  subjects: SubjectReader,
  repository: RepositoryConfig,
): Promise<ApplicationRead> {
  try {
    const gitBranch = await forge(repository.forge)?.defaultBranch(refOf(repository));
    if (gitBranch === undefined) return { kind: "unreachable", message: "its forge is not configured" };
    return await subjects.readApplication(repository, { kind: "commit", gitBranch, headSha: gitBranch });
  } catch (error) {
    return { kind: "unreachable", message: wordsOf(error, `reading from "${repository.path}"`) };
  }
}
