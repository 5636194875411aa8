import { z } from "zod";
import { UserError } from "../engine/report";
import type { FullApi } from "../release/api";
import { application } from "../release/read";
import type { Screen } from "../release/screen";

const jobs = `/apis/batch/v1/namespaces/${application}/jobs`;
const pods = `/api/v1/namespaces/${application}/pods`;
const migrationLabels = encodeURIComponent(
  `app.kubernetes.io/name=${application},app.kubernetes.io/component=migration`,
);

const named = z.looseObject({ name: z.string() });
const container = z.looseObject({
  command: z.array(z.string()).optional(),
  volumeMounts: z.array(named).optional(),
});
const template = z.looseObject({
  metadata: z.looseObject({ labels: z.record(z.string(), z.string()).optional() }).optional(),
  spec: z.looseObject({ containers: z.array(container), volumes: z.array(named).optional() }),
});
const job = z.looseObject({
  metadata: z.looseObject({ name: z.string(), creationTimestamp: z.string().default("") }),
  spec: z.looseObject({ template }),
  status: z.looseObject({ succeeded: z.int().optional(), failed: z.int().optional() }).default({}),
});
type Job = z.infer<typeof job>;
const jobList = z.looseObject({ items: z.array(job) });
const podList = z.looseObject({
  items: z.array(
    z.looseObject({
      status: z.looseObject({
        containerStatuses: z
          .array(
            z.looseObject({
              state: z.looseObject({
                terminated: z.looseObject({ exitCode: z.int(), message: z.string().default("") }).optional(),
              }),
            }),
          )
          .optional(),
      }),
    }),
  ),
});

const longestSeconds = 180;
/** What an argument parser ends with that does not know a flag. */
const usage = 2;

/**
 * Asks the build that made the newer schema what bringing it down would lose, in a Job that changes nothing.
 * @returns what speaks against it; undefined when nothing is lost
 */
export async function checkDowngrade(
  api: FullApi,
  image: string,
  to: string,
  screen: Screen,
): Promise<string | undefined> {
  const found = jobList.parse((await api.get(`${jobs}?labelSelector=${migrationLabels}`)) ?? { items: [] });
  const pattern = newest(found.items.filter((each) => commandOf(each)?.includes("migrate")));
  if (pattern === undefined) {
    return "The cluster has no migration Job any more, so that nobody can tell what a downgrade would lose.";
  }
  const created = job.parse(await api.create(jobs, checkingJob(pattern, image, to)));
  const path = `${jobs}/${created.metadata.name}`;
  try {
    const ended = await untilEnded(api, path, screen);
    if ((ended.status.succeeded ?? 0) > 0) return undefined;
    const { exitCode, message } = await lastWords(api, created.metadata.name);
    if (exitCode === usage) {
      return "The version that made the newer schema is too old to tell what a downgrade would lose.";
    }
    return message === "" ? "The downgrade cannot be checked: its Job failed without a word." : message;
  } finally {
    await api.remove(path);
  }
}

/** The Job that migrated, with another command: it has the account, secrets and ways to the database that it needs. */
export function checkingJob({ spec }: Job, image: string, to: string): object {
  const { metadata, spec: pod } = spec.template;
  const [main] = pod.containers;
  const mounted = new Set((main?.volumeMounts ?? []).map(({ name }) => name));
  // Those of the Job itself, which is another one now.
  const labels = Object.entries(metadata?.labels ?? {}).filter(
    ([key]) => !/^(batch\.kubernetes\.io\/)?(controller-uid|job-name)$/.test(key),
  );
  const command = ["inventory", "downgrade", "--to", to, "--check", "--keep-data"];
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { generateName: `${application}-schema-check-`, labels: Object.fromEntries(labels) },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: longestSeconds,
      // Should nobody be left to remove it.
      ttlSecondsAfterFinished: 600,
      template: {
        metadata: { labels: Object.fromEntries(labels) },
        spec: {
          ...pod,
          initContainers: [],
          containers: [{ ...main, image, command }],
          volumes: (pod.volumes ?? []).filter(({ name }) => mounted.has(name)),
        },
      },
    },
  };
}

async function untilEnded(api: FullApi, path: string, screen: Screen): Promise<Job> {
  const began = Date.now();
  for (;;) {
    const found = job.parse(await api.get(path));
    if (found.status.succeeded || found.status.failed) return found;
    const seconds = Math.floor((Date.now() - began) / 1000);
    if (seconds > longestSeconds) {
      throw new UserError(`The check of the downgrade has not ended after ${longestSeconds} s.`);
    }
    screen.progress(`asking what a downgrade of the schema would lose, ${seconds} s`);
    await screen.sleep(1000);
  }
}

async function lastWords(api: FullApi, name: string): Promise<{ exitCode: number; message: string }> {
  const selector = encodeURIComponent(`job-name=${name}`);
  const found = podList.parse((await api.get(`${pods}?labelSelector=${selector}`)) ?? { items: [] });
  const ended = found.items.flatMap(({ status }) => status.containerStatuses ?? []);
  const last = ended.map(({ state }) => state.terminated).find((terminated) => terminated !== undefined);
  const line = last?.message.trim().split("\n").at(-1) ?? "";
  return { exitCode: last?.exitCode ?? 1, message: line };
}

function newest(found: readonly Job[]): Job | undefined {
  return [...found].sort((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? 1 : -1))[0];
}

function commandOf({ spec }: Job): string[] | undefined {
  return spec.template.spec.containers[0]?.command;
}
